"""Refusals as Litestar sends them, on the routes that are ours."""

from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from lectr_lab.core.error_forms import Form, form_of
from lectr_lab.core.error_responses import Refusal, unknown_path

_SET_BY_LITESTAR = (b"content-type", b"content-length")


class Refused(Exception):
    """A request of ours is refused; raise it wherever Litestar is above."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def as_response(refusal: Refusal, form: Form = "openai") -> Response[bytes]:
    """The reply, in the form that was asked in."""
    return Response(
        refusal.body(form),
        status_code=refusal.status,
        media_type=MediaType.JSON,
        headers={
            name.decode(): value.decode()
            for name, value in refusal.head(form)
            if name not in _SET_BY_LITESTAR
        },
    )


def on_refused(_: Request[Any, Any, Any], refused: Refused) -> Response[bytes]:
    """What a route of ours refuses."""
    return as_response(refused.refusal)


def on_unknown(
    request: Request[Any, Any, Any], error: HTTPException
) -> Response[bytes]:
    """What no route is for: another path, another method."""
    path, headers = request.scope["raw_path"], list(request.scope["headers"])
    return as_response(unknown_path(path, headers), form_of(path, headers))
