"""Asks the candidate what the present model was asked, and records its answers.

With the operator's own key, from the environment, after saying how many calls it takes
and about how many dollars. What is answered is kept: asking again asks only the rest.
"""

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from lectr_lab.config.operator_keys import check_variable
from lectr_lab.config.settings import Settings
from lectr_lab.config.urls import key_is_safe
from lectr_lab.core.engine import CURRENT_NOTE, Engine, Note
from lectr_lab.core.errors import (
    CassetteError,
    ConfigError,
    UpstreamBroken,
    UpstreamError,
)
from lectr_lab.core.headers import (
    ClientHeaders,
    RawHeaders,
    forwarded_request_headers,
)
from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.core.pricing.price import PriceList, PriceQuery, cost_usd, find_price
from lectr_lab.core.registry import AuthStyle
from lectr_lab.core.routing.providers import (
    Address,
    ResolvedProvider,
    provider_url,
    resolve,
)
from lectr_lab.evaluation.pairs import Prompt
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.tape.cassette import Interaction, read_cassettes
from lectr_lab.tape.record import Recorder

_PASSED_ON = {b"accept", b"content-type", b"anthropic-version", b"anthropic-beta"}
_SAVED_EVERY = 25
_FAILURES_IN_A_ROW = 3
_HOPELESS = {f"status {code}" for code in (401, 402, 403, 404)}


class Estimate(NamedTuple):
    """What asking will take. `usd` is None where the candidate has no known price."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None


class Where(NamedTuple):
    """Where the candidate is asked, and as whom. Holds the key: never shown."""

    target: ResolvedProvider
    address: Address
    key: bytes | None

    def __repr__(self) -> str:
        return f"<Where {self.target.provider}>"


class Outcome(NamedTuple):
    """What became of it: why calls failed, with counts, and whether it ended early."""

    answered: int
    faults: dict[str, int]
    stopped: bool


def estimate(
    prompts: Sequence[Prompt], model: str, provider: str, prices: PriceList = ()
) -> Estimate:
    """How many calls, and about what they cost.

    The tokens are those that the present model counted; a reply that counted none is
    taken for an average one.

    Args:
        prompts: those to ask.
        model: the candidate.
        provider: whose price list holds.
        prices: the user's own, which go before.
    """
    told = [p.facts for p in prompts if p.facts.input_tokens is not None]
    if not told:
        return Estimate(len(prompts), 0, 0, None)
    into = sum(f.input_tokens or 0 for f in told) / len(told)
    out = sum(f.output_tokens or 0 for f in told) / len(told)
    query = PriceQuery(provider, None, None, model, None, datetime.now(UTC))
    found = find_price(query, prices)
    one = {"input_tokens": round(into), "output_tokens": round(out)}
    cost = None if found is None else cost_usd(found, one)
    usd = None if cost is None else float(cost) * len(prompts)
    calls = len(prompts)
    return Estimate(calls, round(into * calls), round(out * calls), usd)


def where(
    model: str,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    upstream: str | None = None,
    key_env: str | None = None,
) -> Where:
    """Where a model is asked, and with which of the operator's keys.

    Args:
        model: the candidate; its name says whose it is.
        settings: for the providers' addresses.
        environ: where the key is.
        upstream: the base URL of a local server to ask instead; it gets a key only if
            `key_env` names one.
        key_env: the variable that holds the key; `OPENAI_API_KEY` and the like else.

    Raises:
        ConfigError: whose model it is, or the key, is not known; or the key would
            cross a network in the open.
    """
    target = resolve(ClientHeaders(), model, b"/v1/chat/completions")
    if upstream is not None:
        auth: AuthStyle = "bearer" if key_env else "none"
        address: Address | None = Address(upstream.rstrip("/"), auth)
    elif target.unknown:
        raise ConfigError(
            f"Whose model {model} is, is not known. Name a server with --upstream."
        )
    else:
        address = settings.address_for("local", target.provider)
    if address is None:
        raise ConfigError(f"lectr.toml has no address for {target.provider}.")
    if address.auth == "none":
        return Where(target, address, None)
    variable = f"{target.provider.upper()}_API_KEY"
    if key_env:
        variable = check_variable("--key-env", key_env)
    key = environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"Set {variable} to your key, or name another with --key-env."
        )
    if not key_is_safe(address.base_url):
        raise ConfigError("The key would cross the network unencrypted: use https.")
    return Where(target, address, key.encode())


def answers_path(cassette: Path, model: str) -> Path:
    """The cassette of a candidate's answers: in the folder, or beside the file.

    >>> answers_path(Path("tapes/chat.yaml"), "gpt-4o-mini").as_posix()
    'tapes/chat.gpt-4o-mini.yaml'
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", model).strip("-") or "candidate"
    if cassette.is_dir():
        return cassette / f"evidence.{slug}.yaml"
    return cassette.with_name(f"{cassette.stem}.{slug}.yaml")


def ask(
    prompts: Sequence[Prompt],
    model: str,
    where: Where,
    settings: Settings,
    cassette: Path,
    on_answer: Callable[[], None] = lambda: None,
) -> Outcome:
    """Ask one prompt after the other, and write the answers to a cassette.

    What the cassette holds is kept, less what failed. Interrupted, it writes what has
    been answered before the exception goes on.

    Args:
        prompts: those to ask.
        model: the candidate.
        where: from `where`.
        settings: the engine's.
        cassette: `*.yaml`; your key is left out of it.
        on_answer: called after each call.

    Raises:
        CassetteError: the cassette cannot be read or written.
    """
    recorder = Recorder(cassette, settings.record.secrets, kept=_kept(cassette))
    try:
        return asyncio.run(_ask(prompts, model, where, settings, recorder, on_answer))
    finally:
        if recorder.passed:
            recorder.save()


async def _ask(
    prompts: Sequence[Prompt],
    model: str,
    where: Where,
    settings: Settings,
    recorder: Recorder,
    on_answer: Callable[[], None],
) -> Outcome:
    engine = recorder.wrap(open_engine(settings))
    faults: list[str | None] = []
    try:
        for prompt in prompts:
            faults.append(await _ask_one(engine, prompt, model, where))
            on_answer()
            if _is_hopeless(faults):
                break
            if len(faults) % _SAVED_EVERY == 0:
                recorder.save()
    finally:
        await engine.aclose()
    reasons = Counter(fault for fault in faults if fault is not None)
    answered = len(faults) - reasons.total()
    return Outcome(answered, dict(reasons), _is_hopeless(faults))


def _is_hopeless(faults: list[str | None]) -> bool:
    """The next call would fail as the last one did, or as the last few did."""
    last = faults[-_FAILURES_IN_A_ROW:]
    in_a_row = len(last) == _FAILURES_IN_A_ROW and None not in last
    return in_a_row or bool(faults and faults[-1] in _HOPELESS)


async def _ask_one(
    engine: Engine, prompt: Prompt, model: str, where: Where
) -> str | None:
    """Ask, and read to the end; what went wrong, or None."""
    CURRENT_NOTE.set(_note(prompt, where))
    chat = prompt.operation == "chat"
    path = "/v1/chat/completions" if chat else f"/v1/{prompt.operation}"
    url = provider_url(where.address, where.target, path.encode(), b"", model)
    headers = _headers(prompt.one.request_headers, where)
    body = _with_model(prompt.one.request_body, model)
    try:
        try:
            reply = await engine.send("POST", url, headers, body)
        except UpstreamBroken:
            # A kept connection that the server had closed: once more.
            reply = await engine.send("POST", url, headers, body)
        try:
            async for _ in reply:
                pass
        finally:
            await reply.aclose()
    except UpstreamError as error:
        return str(error)
    return None if reply.status < 300 else f"status {reply.status}"


def _note(prompt: Prompt, where: Where) -> Note:
    timing = prompt.one.timing
    return Note(
        event_id=secrets.token_bytes(16),
        org=(timing.org if timing else None) or "local",
        feature=timing.feature if timing else None,
        task=prompt.task,
        provider=where.target.provider,
    )


def _headers(recorded: RawHeaders, where: Where) -> RawHeaders:
    kept = [(n.lower(), v) for n, v in recorded if n.lower() in _PASSED_ON]
    kept = kept or [(b"content-type", b"application/json")]
    client_headers = ClientHeaders()
    if where.key is not None:
        client_headers = ClientHeaders(
            authorization=b"Bearer " + where.key, provider_key=where.key
        )
    return forwarded_request_headers(kept, client_headers, where.address.auth)


def _with_model(body: bytes, model: str) -> bytes:
    parsed = loads(body)
    assert isinstance(parsed, dict)  # it was read as a request of a known operation
    return msgspec.json.encode(parsed | {"model": model})


def _kept(cassette: Path) -> list[Interaction]:
    if not cassette.exists():
        return []
    found = read_cassettes(cassette)
    strangers = [one for one in found if one.method != "POST"]
    if strangers:
        raise CassetteError(
            f"{cassette} was not written by this command; move it away."
        )
    return [one for one in found if one.status < 300 and one.ended == "complete"]
