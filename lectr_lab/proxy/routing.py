"""A request's rules applied: the call to the provider, as it is then made.

Whatever goes wrong here, the request goes out as it came. A client's key is only ever
sent to the vendor that the request itself names.
"""

from typing import Any

import msgspec

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import (
    RawHeaders,
    headers_for_another_vendor,
    holds_key,
)
from lectr_lab.core.llm_api.splice import with_model
from lectr_lab.core.routing.providers import Address, ResolvedProvider, provider_url
from lectr_lab.core.routing.rules import (
    OF_RUN,
    Decision,
    Rule,
    RuleInput,
    asks_for_run,
    decide,
)
from lectr_lab.proxy.heads import Call
from lectr_lab.proxy.rules_watcher import RuleBook
from lectr_lab.proxy.stderr import say

_MOST_REMEMBERED = 1024
_LONGEST_REMEMBERED = 200  # characters of a client's words, which can be any


# Structs, as each request makes one of each: a named tuple takes three times as long.
class Arrived(msgspec.Struct, frozen=True):
    """A request as it came, with the provider that it is for."""

    exchange: Exchange
    call: Call
    body: bytes


class ProviderRequest(msgspec.Struct, frozen=True):
    """What a provider is asked."""

    url: str
    headers: RawHeaders
    body: bytes


class Routed(msgspec.Struct, frozen=True):
    """A call, whom it asks, and what the event says of it."""

    call: ProviderRequest
    target: ResolvedProvider
    model: str | None
    rule: str | None = None
    skipped: str | None = None


class Router:
    """Applies the rules in force. `failures` counts mistakes of ours: all were passed
    over."""

    def __init__(self, settings: Settings, book: RuleBook, keys: OperatorKeys) -> None:
        self._settings, self._book, self.keys = settings, book, keys
        self._rules: tuple[Rule, ...] = ()
        self._of_run = False  # some rule asks who it is
        self._decided: dict[tuple[str, RuleInput], Decision] = {}
        self.failures = 0

    def start(self) -> None:
        """Read the rules, and begin to watch them; say which keys are missing."""
        for problem in self.keys.problems:
            say(f"operator's key: {problem}.", code="operator_key", level="warning")
        self._book.start()

    def stop(self) -> None:
        """Watch them no more."""
        self._book.stop()

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health; no name of a rule is in it but a broken one's."""
        book = self._book.about()
        keys = {"operator_keys_missing": list(self.keys.problems)}
        return {
            "rules": book | {"failures": self.failures} | keys,
            "warnings": [book["problem"]] if book["problem"] else [],
        }

    def route(self, arrived: Arrived) -> Routed:
        """The call to make for a request. Never fails for a rule's sake."""
        if not self._book.rules:
            return _unchanged(arrived)
        try:
            return self._ruled(arrived)
        except Exception:  # noqa: BLE001 - a rule of ours, a bug of ours: not theirs
            self.failures += 1
            return _unchanged(arrived, "internal_error")

    def _ruled(self, arrived: Arrived) -> Routed:
        self._follow()
        rule_input = arrived.exchange.rule_input(arrived.call.target)
        if self._of_run:
            run = arrived.exchange.run
            names = {name: getattr(run, name) for name in OF_RUN}
            rule_input = rule_input._replace(**names)
        decision = self._decision(arrived.exchange.key.org, rule_input)
        if decision.rule is None:
            return _unchanged(arrived, decision.skipped)
        if arrived.exchange.request_encoding:  # nor can it be searched for a key
            return _unchanged(arrived, "compressed_body")
        return self._applied(arrived, rule_input, decision)

    def _applied(
        self, arrived: Arrived, rule_input: RuleInput, decision: Decision
    ) -> Routed:
        # The client's own word, where the rule leaves it: the log's may be redacted.
        model = arrived.exchange.request.model
        body: bytes | None = arrived.body
        if decision.model not in (None, rule_input.model):
            place = arrived.exchange.model_place
            body = with_model(arrived.body, model or "", decision.model or "", place)
            model = decision.model
        if body is None:
            return _unchanged(arrived, "model_not_found_in_body")
        if decision.provider in (None, rule_input.provider):
            call = _call(arrived, body, model)
            return Routed(call, arrived.call.target, model, decision.rule)
        if holds_key(body, arrived.exchange.client_headers):
            return _unchanged(arrived, "key_in_body")
        target = arrived.call.target._replace(provider=decision.provider)
        call = self._call_elsewhere(arrived, target, body, model)
        return Routed(call, target, model, decision.rule)

    def _call_elsewhere(
        self, arrived: Arrived, target: ResolvedProvider, body: bytes, model: str | None
    ) -> ProviderRequest:
        """With the operator's key, and without what the client said to its vendor: its
        query, its cookies, its keys wherever it put them."""
        org, client_headers = arrived.exchange.key.org, arrived.exchange.client_headers
        address = self._settings.address_for(org, target.provider)
        assert address is not None  # a keyed provider has an address
        key = self.keys.of(org, target.provider)
        assert key is not None or address.auth == "none"
        headers = headers_for_another_vendor(
            arrived.exchange.headers, client_headers, address.auth, key
        )
        raw_path = arrived.exchange.raw_path
        return ProviderRequest(
            provider_url(address, target, raw_path, b"", model), headers, body
        )

    def _follow(self) -> None:
        """Look whether the rules have changed."""
        rules = self._book.rules
        if rules is not self._rules:
            self._rules, self._decided = rules, {}
            self._of_run = asks_for_run(rules)

    def _decision(self, org: str, rule_input: RuleInput) -> Decision:
        """Decided once for the same words, until the rules change."""
        decision = self._decided.get((org, rule_input))
        if decision is None:
            decision = decide(self._rules, rule_input, self.keys.keyed(org))
            if len(self._decided) >= _MOST_REMEMBERED:
                self._decided.clear()
            if all(len(word or "") <= _LONGEST_REMEMBERED for word in rule_input):
                self._decided[org, rule_input] = decision
        return decision


def _unchanged(arrived: Arrived, skipped: str | None = None) -> Routed:
    call, model = arrived.call, arrived.exchange.request.model
    as_it_came = ProviderRequest(call.url, call.headers, arrived.body)
    return Routed(as_it_came, call.target, model, skipped=skipped)


def _call(arrived: Arrived, body: bytes, model: str | None) -> ProviderRequest:
    exchange, call = arrived.exchange, arrived.call
    more = call.query, model
    url = asked_url(
        call.address, call.target, exchange, *more, asks_nothing=call.asks_nothing
    )
    return ProviderRequest(url, call.headers, body)


def asked_url(
    address: Address,
    target: ResolvedProvider,
    exchange: Exchange,
    query: bytes,
    model: str | None,
    *,
    asks_nothing: bool,
) -> str:
    """`provider_url`, with the question mark of a target that ends in one."""
    url = provider_url(address, target, exchange.raw_path, query, model)
    return f"{url}?" if asks_nothing and "?" not in url else url
