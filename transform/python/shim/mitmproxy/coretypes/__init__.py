"""The types that others are made of."""
