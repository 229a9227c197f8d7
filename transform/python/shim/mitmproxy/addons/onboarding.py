"""The page with the certificate."""
from mitmproxy.utils._live import live_class

APP_HOST = "mitm.it"
APP_PORT = 80

Onboarding = live_class(__name__, "Onboarding")
