"""Flows and what is around them, as up to 0.15. Request, Response and Headers are of 0.8 and 0.9."""
from _flowkit.legacy import names
from _flowkit.legacy.context import ScriptContext  # noqa: F401
from _flowkit.legacy.names import Error, ListRequest as Request, ListResponse as Response, ODict, ODictCaseless  # noqa: F401
from _flowkit.legacy.views import ListHeaders as Headers, decoded  # noqa: F401
from mitmproxy.http import HTTPFlow as Flow  # noqa: F401

__getattr__ = names.lazy(
    "FlowReader", "FlowWriter", "FilteredFlowWriter", "FlowReadError", "FlowMaster", "State", "ClientConnection"
)
