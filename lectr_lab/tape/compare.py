"""Requests as they are compared: without what does not count.

- The operation is the path behind the provider's own prefix (`/v1`, `/openai/v1`,
  `/v1beta/openai`, `/openai/deployments/<name>`), so that what was recorded from a
  local server also plays as any provider.
- The model is the body's, or Azure's deployment in the path.
- JSON is compared as values: neither the order of names, nor spacing, nor how a number
  is written counts. An upload is compared by its parts, what is compressed as what it is.
- Keys count nowhere: both sides are scrubbed first, and neither does Azure's
  api-version, which belongs to the operator.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.llm_api.content_encoding import whole_body
from lectr_lab.tape.json_values import canonical, json_value
from lectr_lab.tape.multipart import parts_of
from lectr_lab.tape.secret_names import is_secret_of_call
from lectr_lab.tape.secret_patterns import clean, clean_url, marks_for

_PREFIX = re.compile(
    r"^.*?/+(?:openai/+deployments/+(?P<deployment>[^/]+)|(?:v1beta/+)?openai(?:/+v1)?"
    r"|v1beta|v1)/+(?=[^/])"
)


class Request(NamedTuple):
    """A request as it is compared.

    `body` is a JSON object, or the parts of an upload by name; None where it is neither.
    """

    method: str
    operation: str
    query: tuple[tuple[str, str], ...]
    model: str | None
    canonical: bytes
    body: dict[str, Any] | None
    provider: str | None

    @property
    def key(self) -> tuple[object, ...]:
        """What must be equal; model and provider can be left open."""
        return self.method, self.operation, self.query, self.canonical


def comparable(
    method: str,
    url: str,
    headers: RawHeaders,
    body: bytes,
    provider: str | None,
    ignore: Iterable[str] = (),
) -> Request:
    """A request without what does not count.

    Args:
        method: in upper case.
        url: whole, as sent.
        headers: only to know the request's keys, wherever else they stand, and how the
            body is compressed.
        body: as sent.
        provider: None where it can be any.
        ignore: fields of the body that do not count.

    >>> comparable("GET", "http://x/openai/v1/models?b=2&a=1", (), b"", None)[:3]
    ('GET', 'models', (('a', '1'), ('b', '2')))
    """
    marks = marks_for(headers, url)
    parts = urlsplit(url)
    target = clean_url(f"{parts.path}?{parts.query}", marks)
    path, _, clean_query = target.partition("?")
    deployment, operation = split_path(path)
    query = sorted(
        (name, value)
        for name, value in parse_qsl(clean_query, keep_blank_values=True)
        if name.lower() != "api-version" and not is_secret_of_call(name.encode())
    )
    sent = clean(_plain(body, headers), marks)
    said = _said(sent)
    document = said if isinstance(said, dict) else None
    model = unquote(deployment) if deployment else None
    if document is not None:
        named = document.pop("model", None)
        model = named if isinstance(named, str) else model
        for field in ignore:
            model = None if field == "model" else model
            _leave_out(document, field.split("."))
    if said is not None:
        sent = canonical(said) or sent
    return Request(method, operation, tuple(query), model, sent, document, provider)


def split_path(path: str) -> tuple[str | None, str]:
    """Azure's deployment, if there is one, and what follows a provider's own prefix.

    >>> split_path("/openai/deployments/mine/chat/completions")
    ('mine', 'chat/completions')
    >>> split_path("/v1beta/models/gemini-3:generateContent")
    (None, 'models/gemini-3:generateContent')
    """
    prefix = _PREFIX.match(path)
    if prefix is None:
        return None, path.lstrip("/")
    return prefix["deployment"], path[prefix.end() :]


def _leave_out(value: Any, path: list[str]) -> None:
    """Take a field out, in every entry where a list is on the way."""
    *outer, last = path
    left = [(value, 0)]
    while left:
        one, depth = left.pop()
        if isinstance(one, list):
            left += [(entry, depth) for entry in one]
        elif isinstance(one, dict) and depth == len(outer):
            one.pop(last, None)
        elif isinstance(one, dict):
            left.append((one.get(outer[depth]), depth + 1))


def _plain(body: bytes, headers: RawHeaders) -> bytes:
    """Compressed, the same text is other bytes: gzip writes the time into them."""
    first = {n.lower(): v.decode("latin-1") for n, v in reversed(headers)}
    encoding = first.get(b"content-encoding", "")
    return (whole_body(body, encoding) if encoding else None) or body


def _said(body: bytes) -> Any:
    """The value that a body is: JSON's, or the parts of an upload."""
    try:
        return json_value(body)
    except ValueError:
        return parts_of(body)
