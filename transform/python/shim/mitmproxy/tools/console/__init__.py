"""The user interface in the terminal."""
