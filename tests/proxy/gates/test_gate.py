"""Gates at the real proxy: what they refuse, and that their faults refuse nothing."""

from datetime import UTC, datetime

import pytest

from lectr_lab.core import error_responses
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.proxy.gates.gate import Gates


class Told:
    """A gate that answers as it is told, and knows what it was asked."""

    def __init__(self, name: str, answer=None, *, at_head: bool = True) -> None:
        self.name, self.at_head, self._answer = name, at_head, answer
        self.asked, self.over = 0, 0

    def admit(self, exchange):
        self.asked += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def ended(self, event) -> None:
        self.over += 1
        if isinstance(self._answer, Exception):
            raise self._answer


@pytest.fixture
def exchange() -> Exchange:
    """A request whose head is here."""
    return Exchange(
        event_id=b"e" * 16,
        started_at=datetime.now(UTC),
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=KeyEntry(key_id="k", org="acme", digest="", created_at=datetime.now(UTC)),
    )


def test_the_first_that_refuses_has_refused(exchange):
    """Each is asked in its time: at the head, or once all of the request is here."""
    passes, refuses, later = (
        Told("a"),
        Told("b", error_responses.ORG_DISABLED),
        Told("c"),
    )
    at_request = Told("d", error_responses.too_many_streams(1), at_head=False)
    gates = Gates(passes, at_request, refuses, later)

    assert gates.admit_head(exchange) == error_responses.ORG_DISABLED
    assert gates.admit(exchange) == error_responses.too_many_streams(1)
    assert [one.asked for one in (passes, refuses, later, at_request)] == [1, 1, 0, 1]
    gates.ended(exchange.ended("refused", 1.0))
    assert [one.over for one in (passes, refuses, later, at_request)] == [1] * 4


def test_a_gate_that_raises_lets_pass(exchange):
    """Nothing of ours refuses by mistake; the next gate is asked, and it is said."""
    broken, next_one = Told("broken", ValueError("x")), Told("next")
    gates = Gates(broken, next_one)

    assert gates.admit_head(exchange) is None
    gates.ended(exchange.ended("ok", 1.0))

    assert (next_one.asked, next_one.over) == (1, 1)
    [said, nothing] = gates.about()
    assert said["faults"] == {"broken": {"raised": 2, "slow": 0, "off": False}}
    assert nothing == {}
