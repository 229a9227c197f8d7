"""Helpers for tests of scripts: tflow and tutils make flows, taddons runs addons."""
