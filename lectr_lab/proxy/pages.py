"""What anybody may ask: /health, and /livez and /readyz for whoever starts processes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from litestar import HttpMethod, Request, route
from litestar.handlers import HTTPRouteHandler

from lectr_lab.proxy.admin_secret import AdminSecret
from lectr_lab.proxy.health import health
from lectr_lab.proxy.own_replies import Refused
from lectr_lab.proxy.readiness import Readiness

_LOOK = [HttpMethod.GET, HttpMethod.HEAD]


def open_pages(
    told: Callable[[], Awaitable[Iterable[Mapping[str, Any]]]],
    readiness: Readiness,
    secret: AdminSecret | None,
) -> list[HTTPRouteHandler]:
    """The routes that want no key.

    Args:
        told: what each part of the proxy says of itself, over all its workers.
        readiness: whether /readyz is a 200. Where it is none, requests are served all the
            same: it is for whoever can send them to another proxy.
        secret: whoever sends it is told which organisation a warning is of.
    """

    async def is_operator(request: Request[Any, Any, Any]) -> bool:
        headers = request.scope["headers"]
        if secret is None or "authorization" not in request.headers:
            return False
        return await secret.refusal(headers) is None

    @route("/health", http_method=_LOOK)
    async def get_health(request: Request[Any, Any, Any]) -> dict[str, Any]:
        name_orgs = await is_operator(request)
        refused = {"refused_admin_calls": secret.refused if secret else 0}
        return health([*await told(), refused], name_orgs=name_orgs)

    @route("/livez", http_method=_LOOK)
    async def get_livez() -> dict[str, str]:
        return {"status": "ok"}

    @route("/readyz", http_method=_LOOK)
    async def get_readyz() -> dict[str, str]:
        refusal = readiness.refusal()
        if refusal is not None:
            raise Refused(refusal)
        return {"status": "ok"}

    return [get_health, get_livez, get_readyz]
