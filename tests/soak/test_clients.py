"""Clients: whatever is not what the provider said is seen."""

import pytest

from soak.clients import ended
from soak.ledger import Asked, Life
from soak.replies import KINDS, reply
from soak.wire import Answer

LIFE = Life("steady", "main", 1, 1, 0.0)
OURS = [name for name, kind in KINDS.items() if kind.own]
SAID = [name for name in KINDS if name not in (*OURS, "never")]


def fault(kind, answer, n=8):
    """What is noted of an answer to request `n`."""
    one = Asked(n, kind, LIFE, 0.0)
    ended(one, answer)
    return one.fault


def right(kind, n=8):
    """What a client is to get."""
    if kind in OURS:
        return Answer(KINDS[kind].status, {}, b"{}", True)
    said, head = reply(kind, n), {b"x-soak": b"%d" % n}
    return Answer(said.status, head, said.body, said.ends == "whole")


@pytest.mark.parametrize("kind", [*OURS, *SAID])
def test_what_the_provider_said_is_fine(kind):
    """And our own answers, where those are due."""
    assert fault(kind, right(kind)) is None


@pytest.mark.parametrize("kind", [*OURS, *SAID])
def test_another_status_is_seen(kind):
    """None at all, too."""
    assert fault(kind, right(kind)._replace(status=418))
    assert fault(kind, Answer())


@pytest.mark.parametrize("kind", SAID)
def test_other_bytes_are_seen(kind):
    """One changed, one more, and another's whole reply."""
    answer = right(kind)

    assert fault(kind, answer._replace(body=b"#" + answer.body[1:]))
    assert fault(kind, answer._replace(body=answer.body + b"\n"))
    assert fault(kind, right(kind, n=9))


@pytest.mark.parametrize("kind", SAID)
def test_an_end_that_is_not_the_providers_is_seen(kind):
    """A whole reply that was cut, and a cut one that looks whole."""
    answer = right(kind)

    assert fault(kind, answer._replace(whole=not answer.whole))
