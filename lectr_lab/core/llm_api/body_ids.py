"""Ids in a request's body: whose request it is, and of which session.

Facts (read 2026-11-30): OpenAI's APIs take `safety_identifier`, and `user`, which it
replaces; Anthropic's `metadata.user_id`. Into that Claude Code writes an object as text
(`device_id`, `account_uuid`, `session_id`), and before 2.1.86 one word,
`user_<device>_account_<account>_session_<session>`: a user is the account, and without
one the device, or there would be as many users as sessions. Codex writes its session into
`client_metadata`. A stored conversation of OpenAI's is a session by itself.
"""

import re
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.llm_api.request_body import Body

_MOST_CHARS = 4096  # of an id; what is longer is none
_ONE_WORD = re.compile(r"user_([^_]*)_account_([^_]*)_session_([^_]+)")
_CONVERSATION = re.compile(r"conv_[A-Za-z0-9]{1,120}")


class BodyIds(NamedTuple):
    """As sent: a user's is personal, and never logged."""

    user: str | None = None
    session: str | None = None


class _Written(msgspec.Struct):
    """Claude Code's object."""

    account_uuid: Any = None
    device_id: Any = None
    session_id: Any = None


_WRITTEN = msgspec.json.Decoder(_Written)
_NONE = BodyIds()
_UNNAMED = (None, None, None)


def ids_in(body: Body) -> BodyIds:
    """Whose request a body says that it is.

    >>> from lectr_lab.core.llm_api.request_body import Metadata
    >>> ids_in(Body(user=" alice ")).user, ids_in(Body()).user
    ('alice', None)
    >>> ids_in(Body(metadata=Metadata(user_id="user_d_account__session_s")))
    BodyIds(user='d', session='s')
    """
    metadata, codex = body.metadata, body.client_metadata
    named = body.user, body.safety_identifier, body.conversation
    if named == _UNNAMED and metadata is None and codex is None:
        return _NONE  # nearly every body
    user = _id(body.user) or _id(body.safety_identifier)
    if user is None and metadata is not None:
        user = _id(metadata.user_id)
    if user is None and codex is None and body.conversation is None:
        return _NONE
    ids = BodyIds() if user is None else _taken_apart(user)
    if ids.session is None and codex is not None:
        ids = ids._replace(session=_id(codex.session_id))
    if ids.session is None:
        ids = ids._replace(session=_conversation(body.conversation))
    return ids


def _taken_apart(user: str) -> BodyIds:
    if user.startswith("{"):
        try:
            written = _WRITTEN.decode(user)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return BodyIds(user)
        whose = _id(written.account_uuid) or _id(written.device_id)
        session = _id(written.session_id)
        return BodyIds(whose or (None if session else user), session)
    found = _ONE_WORD.fullmatch(user)
    if found is None:
        return BodyIds(user)
    device, account, session = found.groups()
    return BodyIds(account or device or None, session)


def _conversation(value: Any) -> str | None:
    named = value.get("id") if isinstance(value, dict) else value
    text = _id(named)
    return text if text and _CONVERSATION.fullmatch(text) else None


def _id(value: Any) -> str | None:
    """A text, or a number as a text; blank and overlong ones are none."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or len(value) > _MOST_CHARS:
        return None
    return value.strip() or None
