"""Keys over HTTP, for whoever holds LECTR_ADMIN_SECRET; it never reaches a provider.

    POST /v1/orgs                    {"org": name, "feature": optional} → 201 and a key
    POST /v1/orgs/{id}/rotate-key    id: an organisation with one key, or a key_id

Nothing that is sent here is echoed, logged or kept, except an organisation's name and
its key's default feature.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.errors import LogError
from lectr_lab.core.headers import MAX_FEATURE_CHARS
from lectr_lab.core.keys import KeyEntry
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key, list_keys, rotate_key
from lectr_lab.proxy.server.body import ClientGone, Receive, Scope, TooLarge, read_body

SECRET_VARIABLE = "LECTR_ADMIN_SECRET"
_ORGS = b"/v1/orgs"
_ROTATE = re.compile(rb"/v1/orgs/([A-Za-z0-9._-]{1,64})/rotate-key")
_MAX_BODY_BYTES = 64 * 1024


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
    """The admin API of a lab folder. It holds its secret's digest, not the secret."""

    def __init__(self, lab: LabFolder, secret: str) -> None:
        self._lab = lab
        self._digest = _digest(secret.encode())

    def knows(self, scope: Scope) -> bool:
        """The request carries the secret; the time it takes says nothing about it."""
        given = next((v for n, v in scope["headers"] if n == b"authorization"), b"")
        scheme, _, secret = given.partition(b" ")
        same = hmac.compare_digest(_digest(secret.strip()), self._digest)
        return same and scheme.lower() == b"bearer"

    async def answer(self, scope: Scope, body: bytes | None) -> bytes | Refusal:
        """Do what is asked by someone who `knows`; bytes are a 201's JSON.

        Args:
            scope: the request's head.
            body: the request's body; None where it was too large, or broke off.
        """
        path = scope["raw_path"]
        rotation = _ROTATE.fullmatch(path)
        if scope["method"] != "POST" or not (path == _ORGS or rotation):
            return error_responses.NOT_FOUND
        try:  # the disk is waited for elsewhere: requests go on meanwhile
            if rotation:
                return await asyncio.to_thread(self._rotate, rotation[1].decode())
            return await asyncio.to_thread(self._create, body)
        except LogError:
            return error_responses.KEYS_UNWRITABLE

    def _create(self, body: bytes | None) -> bytes | Refusal:
        try:
            new = msgspec.json.decode(body or b"", type=_NewOrg)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return error_responses.INVALID_ORG
        feature = (new.feature or "").strip()
        return _made(*create_key(self._lab, new.org, feature or None))

    def _rotate(self, org_or_key_id: str) -> bytes | Refusal:
        active = [e for e in list_keys(self._lab) if e.disabled_at is None]
        named = [e for e in active if e.key_id == org_or_key_id]
        named = named or [e for e in active if e.org == org_or_key_id]
        if not named:
            return error_responses.UNKNOWN_ORG
        if len(named) > 1:
            return error_responses.SEVERAL_KEYS
        return _made(*rotate_key(self._lab, named[0].key_id))


def open_admin(lab: LabFolder, environ: Mapping[str, str]) -> Admin | None:
    """The admin API, where LECTR_ADMIN_SECRET is set."""
    secret = environ.get(SECRET_VARIABLE, "").strip()
    return Admin(lab, secret) if secret else None


async def serve_admin(
    admin: Admin | None,
    scope: Scope,
    receive: Receive,
    unknown_caller: Callable[[], None],
) -> bytes | Refusal:
    """The answer to a request under /v1/orgs, however its path is spelt."""
    if admin is None:
        return error_responses.NOT_FOUND
    if not admin.knows(scope):
        unknown_caller()
        return error_responses.INVALID_ADMIN_SECRET
    try:
        body = await read_body(scope, receive, _MAX_BODY_BYTES)
    except (TooLarge, ClientGone):
        body = None
    return await admin.answer(scope, body)


def _made(entry: KeyEntry, key: str) -> bytes:
    return msgspec.json.encode(_Made(entry.org, entry.key_id, key))


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
