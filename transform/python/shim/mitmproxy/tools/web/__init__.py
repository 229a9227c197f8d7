"""The user interface in the browser."""
