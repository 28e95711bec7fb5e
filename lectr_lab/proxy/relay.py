"""While a client waits: one request to its provider, and the reply back, untouched."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.core import error_responses
from lectr_lab.core.engine import CURRENT_NOTE, Engine, Note, Reply, whole_body
from lectr_lab.core.error_forms import Form, form_of
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.errors import UpstreamBroken, UpstreamError, UpstreamUnreachable
from lectr_lab.core.event import Event
from lectr_lab.core.event_values import ErrorSource
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import (
    ClientHeaders,
    RawHeaders,
    forwarded_request_headers,
    forwarded_response_headers,
    in_lower_case,
)
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.ids import event_id
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.providers import Address, native_address, resolve
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.gates.gate import Gates
from lectr_lab.proxy.gates.limits import max_body_bytes
from lectr_lab.proxy.heads import Call, Head, Heads
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.routing import (
    Arrived,
    ProviderRequest,
    Routed,
    Router,
    asked_url,
)
from lectr_lab.proxy.server.bodies import BodiesInFlight, Busy, Held
from lectr_lab.proxy.server.body import (
    ClientGone,
    Receive,
    Scope,
    TooLarge,
    TooLate,
    asks_nothing,
    read_body,
)
from lectr_lab.proxy.server.departure import Departure, client_of
from lectr_lab.proxy.server.whole_reply import send_whole
from lectr_lab.proxy.waits import Wait, Waits

Send: TypeAlias = Callable[[Any], Awaitable[None]]  # ASGI's

_AT_FAULT: dict[str, ErrorSource] = {  # for the rest, the client
    "upstream_error": "provider",
    "server_error": "proxy",
}


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """What every request needs."""

    settings: Settings
    gates: Gates
    engine: Engine
    router: Router
    observers: Observers
    facts: FactsReader
    bodies: BodiesInFlight
    waits: Waits
    heads: Heads
    find_key: Callable[[str], KeyEntry | None]
    unknown_caller: Callable[[], None]
    invalid_provider: Callable[[], None]
    is_recorded: bool = False
    keyed_hash: KeyedHash | None = None
    now_s: Callable[[], float] = time.perf_counter
    utc_now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random_bits: Callable[[int], int] = random.getrandbits


async def relay(the: Relay, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request under /v1, and leave one event of it."""
    started_s, started_at = the.now_s(), the.utc_now()
    client = client_of(scope)
    origin = client.known if client is not None else None
    head = the.heads.read(scope["headers"], scope["query_string"], origin)
    client_headers = head.client_headers
    key = _authenticate(the, client_headers, scope["headers"])
    if isinstance(key, Refusal):
        the.unknown_caller()
        await refuse(scope, send, key)
        return
    the.heads.keep(head)
    if head.is_kept and client is not None and client.vouch is not None:
        client.vouch()
    exchange = Exchange(
        event_id=event_id(int(started_at.timestamp() * 1000), the.random_bits(74)),
        started_at=started_at,
        started_s=started_s,
        raw_path=scope["raw_path"],
        client_headers=client_headers,
        key=key,
        operator_keys=the.router.keys.secrets,
        headers=scope["headers"],
        keyed_hash=the.keyed_hash,
        hide=head.hide,
        run_of_head=head.run,
    )
    if client_headers.provider_invalid is not None:
        the.invalid_provider()
    try:
        with Held(the.bodies) as held:
            event = await _serve(the, exchange, scope, (receive, send), (head, held))
    except Exception:
        _over(the, _stopped_by_us(exchange, the.now_s(), "internal_error"))
        raise
    _over(the, event)


def _over(the: Relay, event: Event) -> None:
    the.gates.ended(event)
    the.observers.ended(event)


async def _serve(
    the: Relay,
    exchange: Exchange,
    scope: Scope,
    client: tuple[Receive, Send],
    holds: tuple[Head, Held],
) -> Event:
    (receive, send), (head, held) = client, holds
    refusal = the.gates.admit_head(exchange)
    if refusal is not None:
        return await _answer(the, exchange, send, refusal)
    limit_bytes = max_body_bytes(the.settings, exchange.key.org)
    try:
        body = await read_body(scope, receive, limit_bytes, held)
    except ClientGone:
        return _client_gone(exchange, the.now_s())
    except TooLate:
        return await _answer(the, exchange, send, error_responses.REQUEST_TIMEOUT)
    except TooLarge:
        return await _answer(
            the, exchange, send, error_responses.too_large(limit_bytes)
        )
    except Busy:
        return await _answer(the, exchange, send, error_responses.PROXY_BUSY)
    received_s = the.now_s()
    to_read = body, exchange.operation, exchange.request_encoding
    asked = the.facts.at_once(*to_read) or await the.facts.beside(*to_read)
    facts, exchange.model_place = asked
    exchange.received(facts, len(body), received_s)
    routed = _address(the, scope, exchange, head, body)
    if isinstance(routed, Refusal):
        return await _answer(the, exchange, send, routed)
    refusal = the.gates.admit(exchange)
    if refusal is not None:
        return await _answer(the, exchange, send, refusal)
    the.observers.begin(exchange, body)
    exchange.sent_to(routed.target, the.now_s())
    return await _exchange(the, exchange, routed.call, (scope, receive, send))


def _authenticate(
    the: Relay, client_headers: ClientHeaders, headers: RawHeaders
) -> KeyEntry | Refusal:
    if client_headers.lectr_key is None:
        return error_responses.missing_lectr_key(headers)
    entry = (
        None if client_headers.keys_conflict else the.find_key(client_headers.lectr_key)
    )
    return entry or error_responses.INVALID_LECTR_KEY


def _address(
    the: Relay, scope: Scope, exchange: Exchange, head: Head, body: bytes
) -> Routed | Refusal:
    """The call to the provider, or why there is none."""
    if scope["method"] == "CONNECT":  # asks for a tunnel to a host: never
        return error_responses.NOT_FOUND
    if b"upgrade" in head.client_headers.first and _offers_websocket(scope["headers"]):
        return error_responses.WEBSOCKET
    model, bare_query = exchange.request.model, asks_nothing(scope)
    of = (exchange.key.org, exchange.raw_path, model, bare_query)
    call = head.call(of, lambda: _call(the, exchange, head, asks_nothing=bare_query))
    if isinstance(call, Refusal):
        return call
    routed = the.router.route(Arrived(exchange, call, body))
    target = call.target
    exchange.ruled(target, routed.target, routed.model, routed.rule, routed.skipped)
    return routed


def _call(
    the: Relay, exchange: Exchange, head: Head, *, asks_nothing: bool
) -> Call | Refusal:
    """Whom a request is for, and how they are asked, where no rule says otherwise."""
    client_headers, (_, query) = head.client_headers, head.fields
    model, raw_path = exchange.request.model, exchange.raw_path
    target = resolve(client_headers, model, raw_path, the.heads.providers)
    address = the.settings.address_for(exchange.key.org, target.provider)
    if address is None:
        return error_responses.AZURE_CONFIG_MISSING
    address = native_address(address, target, raw_path)
    if address.auth != "none" and _has_no_key(client_headers, address):
        return error_responses.MISSING_AUTHORIZATION
    headers: RawHeaders = forwarded_request_headers(
        exchange.headers, client_headers, address.auth
    )
    if head.is_kept:  # the engine can tell by it that they come again
        headers = tuple(headers)
    url = asked_url(address, target, exchange, query, model, asks_nothing=asks_nothing)
    return Call(target, address, url, headers, query, asks_nothing)


def _has_no_key(client_headers: ClientHeaders, address: Address) -> bool:
    in_query = address.auth == "x-goog-api-key" and client_headers.query_key is not None
    return client_headers.provider_key is None and not in_query


def _offers_websocket(headers: RawHeaders) -> bool:
    """Any other offer is ignored (RFC 9110, 7.8): the answer is HTTP/1.1."""
    return any(n == b"upgrade" and b"websocket" in v.lower() for n, v in headers)


async def _exchange(
    the: Relay,
    exchange: Exchange,
    call: ProviderRequest,
    client: tuple[Scope, Receive, Send],
) -> Event:
    """Ask the provider and pass its reply on, until either side goes away."""
    scope, receive, send = client
    departure = Departure(scope, receive)
    wait = Wait(the.waits, departure.task)
    try:
        asking = (scope["method"], call.url, call.headers, call.body)
        return await _ask_and_pass_on(the, exchange, asking, send, wait)
    except asyncio.CancelledError:
        ended_s = the.now_s()
        with contextlib.suppress(asyncio.CancelledError):  # again: it is left unread
            await the.facts.reply(exchange)
        return _cancelled(exchange, ended_s, client_gone=departure.noticed)
    finally:
        departure.over()


async def _ask_and_pass_on(
    the: Relay,
    exchange: Exchange,
    call: tuple[str, str, RawHeaders, bytes],
    send: Send,
    wait: Wait,
) -> Event:
    if the.is_recorded:
        CURRENT_NOTE.set(_note(exchange))
    try:
        with wait:
            reply = await the.engine.send(*call)
    except TimeoutError:
        return await _answer(the, exchange, send, error_responses.PROVIDER_TIMEOUT)
    except UpstreamUnreachable:
        return await _answer(the, exchange, send, error_responses.PROVIDER_UNREACHABLE)
    except UpstreamError:
        return await _answer(the, exchange, send, error_responses.PROVIDER_BROKE_OFF)
    if not 200 <= reply.status < 600:  # no status that HTTP knows as a final one
        await reply.aclose()
        return await _answer(the, exchange, send, error_responses.PROVIDER_BROKE_OFF)
    try:
        await _pass_on(the, exchange, reply, send)
    except UpstreamBroken:
        if exchange.behind:
            await the.facts.catch_up(exchange)
        # Returning without the last body message closes the connection abruptly.
        return exchange.ended(
            "upstream_disconnect",
            the.now_s(),
            error_type="upstream_disconnect",
            error_source="provider",
        )
    finally:
        await reply.aclose()
    ended_s = the.now_s()
    await the.facts.reply(exchange)
    return exchange.ended("ok", ended_s)


async def _pass_on(the: Relay, exchange: Exchange, reply: Reply, send: Send) -> None:
    received = in_lower_case(reply.headers)
    exchange.answered(reply.status, received, the.now_s())
    headers = forwarded_response_headers(received)
    if reply.status in (204, 304):  # no body: its length is framing that misleads
        headers = [(n, v) for n, v in headers if n != b"content-length"]
    if body := whole_body(reply):
        arrived_s = the.now_s()
        await send_whole(send, reply.status, headers, body)
        exchange.passed_on(the.now_s())
        exchange.passed_whole()
        exchange.chunk(body, arrived_s)  # after the client has it
        return
    await send(
        {"type": "http.response.start", "status": reply.status, "headers": headers}
    )
    exchange.passed_on(the.now_s())
    async for chunk in reply:
        arrived_s = the.now_s()
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if exchange.chunk(chunk, arrived_s):  # after the client has it
            await the.facts.catch_up(exchange)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    exchange.passed_whole()


def _cancelled(exchange: Exchange, ended_s: float, *, client_gone: bool) -> Event:
    if client_gone and exchange.reply_complete:
        return exchange.ended("ok", ended_s)
    if client_gone:
        return _client_gone(exchange, ended_s)
    return _stopped_by_us(exchange, ended_s, "proxy_shutdown")


def _stopped_by_us(exchange: Exchange, ended_s: float, error_type: str) -> Event:
    return exchange.ended(
        "upstream_disconnect", ended_s, error_type=error_type, error_source="proxy"
    )


def _client_gone(exchange: Exchange, ended_s: float) -> Event:
    return exchange.ended(
        "client_disconnect",
        ended_s,
        error_type="client_disconnect",
        error_source="client",
    )


async def _answer(
    the: Relay, exchange: Exchange, send: Send, refusal: Refusal
) -> Event:
    """Send an answer of our own; the event names it."""
    await _refuse(send, refusal, form_of(exchange.raw_path, exchange.headers))
    return exchange.ended(
        refusal.outcome,
        the.now_s(),
        status=refusal.status,
        error_type=refusal.code,
        error_source=_AT_FAULT.get(refusal.type, "client"),
    )


async def refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Send an answer of the proxy's own, in the form that was asked in."""
    await _refuse(send, refusal, form_of(scope["raw_path"], scope["headers"]))


async def _refuse(send: Send, refusal: Refusal, form: Form) -> None:
    await send_whole(send, refusal.status, refusal.head(form), refusal.body(form))


def _note(exchange: Exchange) -> Note:
    return Note(
        event_id=exchange.event_id,
        org=exchange.key.org,
        feature=exchange.client_headers.feature,
        task=exchange.client_headers.task,
        provider=exchange.target.provider if exchange.target else None,
    )
