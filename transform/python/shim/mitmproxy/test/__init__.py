"""Helpers for tests of addons."""
