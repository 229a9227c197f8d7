import re

from mitmproxy import ctx
from mitmproxy.addons import _options
from mitmproxy.addons.modifyheaders import parse_modify_spec, replacement_of


class ModifyBody:
    """Replaces in bodies of live flows by `modify_body`."""

    def __init__(self):
        self.replacements = []

    def load(self, loader):
        loader.add_option("modify_body", _options.Sequence, [], "Rewrite bodies, as /filter/expression/replacement.")

    def configure(self, updated):
        if "modify_body" in updated:
            self.replacements = _options.parse_all(
                "modify_body", ctx.options.modify_body, lambda spec: parse_modify_spec(spec, True)
            )

    def request(self, flow):
        if _options.is_open(flow):
            self.run(flow)

    def response(self, flow):
        if flow.live and not flow.error:
            self.run(flow)

    def run(self, flow):
        message = flow.response or flow.request
        for spec in self.replacements:
            if not spec.matches(flow) or message.content is None:
                continue
            value = replacement_of(spec)
            if value is not None:
                message.content = re.sub(spec.subject, lambda found: value, message.content, flags=re.DOTALL)
