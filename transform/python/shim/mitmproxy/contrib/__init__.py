"""Packages of others that mitmproxy brings along; flowkit has none of them."""
