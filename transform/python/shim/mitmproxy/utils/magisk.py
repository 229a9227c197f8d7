"""Certificates of a proxy for rooted telephones."""
from mitmproxy.utils._live import live_function

get_ca_from_files = live_function(__name__, "get_ca_from_files")
subject_hash_old = live_function(__name__, "subject_hash_old")
write_magisk_module = live_function(__name__, "write_magisk_module")
