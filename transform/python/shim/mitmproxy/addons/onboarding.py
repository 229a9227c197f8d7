"""The page with the certificate."""
from mitmproxy.utils._live import live_class

Onboarding = live_class(__name__, "Onboarding")
