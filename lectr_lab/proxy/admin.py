"""Keys over HTTP, for whoever holds LECTR_ADMIN_SECRET; it never reaches a provider.

    POST /v1/orgs                    {"org": name, "feature": optional} → 201 and a key
    POST /v1/orgs/{id}/rotate-key    id: an organisation with one key, or a key_id

Nothing that is sent here is echoed, logged or kept, except an organisation's name and
its key's default feature.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import MediaType, Request, Response, Router, post
from litestar.connection import ASGIConnection
from litestar.params import FromPath
from msgspec import Meta

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.errors import LogError
from lectr_lab.core.headers import MAX_FEATURE_CHARS
from lectr_lab.core.keys import KeyEntry
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key, list_keys, rotate_key
from lectr_lab.proxy.admin_secret import AdminSecret
from lectr_lab.proxy.own_replies import Refused, as_response
from lectr_lab.proxy.server.body import ClientGone, TooLarge, TooLate, read_body

_ROTATE = re.compile(r"/([A-Za-z0-9._-]{1,64})/rotate-key")
_MAX_BODY_BYTES = 64 * 1024
_T = TypeVar("_T")


class _NewOrg(msgspec.Struct, forbid_unknown_fields=True):
    """What is sent to /v1/orgs."""

    org: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
    feature: Annotated[str, Meta(max_length=MAX_FEATURE_CHARS)] | None = None


class _Made(msgspec.Struct):
    """What is answered. The key is shown this once."""

    org: str
    key_id: str
    key: str


class Admin:
    """The admin API of a lab folder, for whoever has its secret."""

    def __init__(self, lab: LabFolder, secret: AdminSecret) -> None:
        self._lab = lab
        self.secret = secret

    def create(self, body: bytes | None) -> bytes | Refusal:
        """Make a key. `body` is the request's; None where it was too large, or broke
        off. Waits for the disk."""
        try:
            new = msgspec.json.decode(body or b"", type=_NewOrg)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return error_responses.INVALID_ORG
        feature = (new.feature or "").strip()
        return _made(*create_key(self._lab, new.org, feature or None))

    def rotate(self, org_or_key_id: str) -> bytes | Refusal:
        """Replace a key by a new one. Waits for the disk."""
        active = [e for e in list_keys(self._lab) if e.disabled_at is None]
        named = [e for e in active if e.key_id == org_or_key_id]
        named = named or [e for e in active if e.org == org_or_key_id]
        if not named:
            return error_responses.UNKNOWN_ORG
        if len(named) > 1:
            return error_responses.SEVERAL_KEYS
        return _made(*rotate_key(self._lab, named[0].key_id))


def admin_routes(admin: Admin | None, unknown_caller: Callable[[], None]) -> Router:
    """What is under /v1/orgs; whatever is sent there reaches no provider.

    Args:
        admin: does what is asked; None: there is nothing here.
        unknown_caller: told of each request without the secret.
    """

    async def knows_the_secret(
        connection: ASGIConnection[Any, Any, Any, Any], _: Any
    ) -> None:
        if admin is None:
            raise Refused(error_responses.NOT_FOUND)
        refusal = await admin.secret.refusal(connection.scope["headers"])
        if refusal is not None:
            unknown_caller()
            raise Refused(refusal)

    @post("/")
    async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
        assert admin is not None  # or its guard had refused
        try:
            body = await read_body(request.scope, request.receive, _MAX_BODY_BYTES)
        except (TooLarge, TooLate, ClientGone):
            body = None
        return await _answer(admin.create, body)

    @post("/{below:path}")  # all of it, for the secret is asked for first
    async def rotate(below: FromPath[str]) -> Response[bytes]:
        assert admin is not None
        rotation = _ROTATE.fullmatch(below)
        if rotation is None:
            raise Refused(error_responses.NOT_FOUND)
        return await _answer(admin.rotate, rotation[1])

    routes = [create, rotate]
    return Router("/v1/orgs", route_handlers=routes, guards=[knows_the_secret])


async def _answer(
    ask: Callable[[_T], bytes | Refusal], question: _T
) -> Response[bytes]:
    """The disk is waited for elsewhere: requests go on meanwhile."""
    try:
        told = await asyncio.to_thread(ask, question)
    except LogError:
        told = error_responses.KEYS_UNWRITABLE
    if isinstance(told, Refusal):
        return as_response(told)
    return Response(
        told, media_type=MediaType.JSON, headers={"cache-control": "no-store"}
    )


def _made(entry: KeyEntry, key: str) -> bytes:
    return msgspec.json.encode(_Made(entry.org, entry.key_id, key))
