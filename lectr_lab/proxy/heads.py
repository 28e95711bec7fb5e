"""Heads of requests, read once: a program sends the same one again and again.

What a head says, and where that leads, is kept for the next request that has the same
fields with the same values in the same order; the length of its body is not looked at.
Kept are some hundred heads of callers whose key was found, in this process's memory
alone. One with an id of its own, such as a trace's, will not come again, and is not.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeAlias

from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.headers import (
    ClientHeaders,
    RawHeaders,
    read_headers,
    redactor,
)
from lectr_lab.core.identity.run import run_of_head
from lectr_lab.core.registry import Registry
from lectr_lab.core.routing.providers import Address, ResolvedProvider

_MOST_HEADS = 256
_MOST_BYTES = 8 * 1024  # of a head's values
_MOST_CALLS = 16  # of a head: paths and models
_LENGTH = b"content-length"
_OWN_EACH_TIME = frozenset(
    b"traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-datadog-trace-id "
    b"x-datadog-parent-id x-amzn-trace-id x-cloud-trace-context sentry-trace "
    b"x-request-id x-client-request-id x-correlation-id idempotency-key".split()
)

Fields: TypeAlias = tuple[tuple[tuple[bytes, bytes], ...], bytes]
"""A head's fields but for its length, and the request's query."""


class Call(NamedTuple):
    """What a provider is asked, where no rule says otherwise, less the body."""

    target: ResolvedProvider
    address: Address
    url: str
    headers: RawHeaders
    query: bytes
    asks_nothing: bool  # a question mark with no query behind it


class Head:
    """A head as it was read, and what came of it. Holds keys: never logged."""

    __slots__ = ("_calls", "client_headers", "fields", "hide", "is_kept", "run")

    def __init__(
        self,
        fields: Fields,
        client_headers: ClientHeaders,
        operator_keys: frozenset[str],
    ) -> None:
        self.fields, self.client_headers = fields, client_headers
        self.hide = redactor(client_headers, operator_keys)
        self.run = run_of_head(client_headers.first)  # None: it says more of it
        self.is_kept = False  # it comes again
        self._calls: dict[Hashable, Call | Refusal] = {}

    def call(self, of: Hashable, find: Callable[[], Call | Refusal]) -> Call | Refusal:
        """Where a request with this head goes.

        Args:
            of: all that this depends on besides the head.
            find: finds it out.
        """
        call = self._calls.get(of)
        if call is None:
            call = find()
            if len(self._calls) >= _MOST_CALLS:
                self._calls.clear()
            self._calls[of] = call
        return call


class Heads:
    """Reads heads, and knows those that it has read.

    Args:
        providers: those that a request can be for.
        operator_keys: the operator's own, which no word that is logged may have in it.
    """

    def __init__(
        self,
        providers: Registry,
        operator_keys: frozenset[str] = frozenset(),
    ) -> None:
        self.providers, self._operator_keys = providers, operator_keys
        self._known: dict[Fields, Head] = {}
        self._by_origin: dict[object, Head] = {}

    def read(self, raw: RawHeaders, query: bytes = b"", origin: object = None) -> Head:
        """What a request's head says.

        Args:
            raw: names in lower case and values, in the order received.
            query: the request's.
            origin: what all requests with this very head, and none besides, came with;
                None: nobody says.

        >>> from lectr_lab.core.registry import registry
        >>> Heads(registry()).read([(b"x-lectr-task", b"extraction")]).client_headers.task
        'extraction'
        """
        head = self._by_origin.get(origin)
        if head is not None:
            return head
        fields = tuple([field for field in raw if field[0] != _LENGTH]), query
        known = self._known.get(fields)
        if known is not None:
            if origin is not None:
                if len(self._by_origin) >= _MOST_HEADS:
                    self._by_origin.clear()
                self._by_origin[origin] = known
            return known
        client_headers = read_headers(fields[0], self.providers, query)
        return Head(fields, client_headers, self._operator_keys)

    def keep(self, head: Head) -> None:
        """Know it again. Its key was found: a stranger's heads would fill the memory."""
        if head.is_kept:
            return
        fields, query = head.fields
        size_bytes = len(query) + sum([len(value) for _, value in fields])
        if size_bytes > _MOST_BYTES or not _OWN_EACH_TIME.isdisjoint(dict(fields)):
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[head.fields], head.is_kept = head, True
