"""Which recording answers a request."""

import json

import pytest

from lectr_lab.tape.compare import comparable
from lectr_lab.tape.match import Matching, Tape

CHAT = "https://api.openai.com/v1/chat/completions"


def request(url=CHAT, body=b'{"model":"m"}', provider="openai", **more):
    return comparable(
        more.get("method", "POST"), url, more.get("headers", ()), body, provider
    )


def test_the_nth_same_request_gets_the_nth_recording(interaction):
    """In order, and from the first again after the last; others are not counted."""
    numbers = [(1, b'{"a":1}'), (2, b'{"a":2}'), (3, b'{"a":1}')]
    tape = Tape(interaction(number=n, request_body=body) for n, body in numbers)

    played = [tape.play(request(body=b'{"a":1}')).number for _ in range(3)]

    assert played == [1, 3, 1]
    assert tape.play(request(body=b'{"a":2}')).number == 2


def test_provider_and_model_must_agree(interaction):
    """Unless the recording is of no known provider's host."""
    tape = Tape([interaction()])
    local = Tape([interaction(provider=None, uri="http://127.0.0.1:1/v1/responses")])

    assert tape.play(request()) is not None
    assert tape.play(request(provider="groq")) is None
    assert tape.play(request(body=b'{"model":"n"}')) is None
    assert tape.play(request(method="GET")) is None
    assert local.play(request("http://t/openai/v1/responses", provider="groq"))


def test_a_miss_names_the_nearest_and_what_differs(interaction):
    """By field; models and numbers are shown, no text is."""
    body = (
        b'{"model":"m","temperature":0.5,"messages":[{"role":"user","content":"hush"}]}'
    )
    asked = (
        b'{"model":"n","temperature":1,"messages":[{"role":"user","content":"shh"}]}'
    )
    tape = Tape(
        [
            interaction(uri="https://api.openai.com/v1/models", request_body=asked),
            interaction(number=2, request_body=body),
        ]
    )

    message = tape.miss(request(body=asked))

    assert message == (
        "No recording answers POST chat/completions of openai with model n. "
        "The nearest is tape.yaml #2; what differs: model (n here, m recorded); "
        "body.messages[0].content (a text of 3 here, a text of 4 recorded); "
        "body.temperature (1 here, 0.5 recorded). "
        "Record this request, or send the recorded one."
    )


@pytest.mark.parametrize(
    ("asked", "differs"),
    [
        (request("http://t/v1/models?a=1"), "operation (models here,"),
        (request(CHAT + "?secret-value=1"), "query: secret-value"),
        (request(provider="groq"), "provider (groq here, openai recorded)"),
        (request(method="GET"), "method (GET here, POST recorded)"),
        (request(body=b"\xff"), "body (1 bytes here, 2 recorded)"),
        (request(body=b'{"tools":[]}'), "body.tools (not recorded)"),
    ],
)
def test_every_difference_has_a_name(interaction, asked, differs):
    """So that a miss can be mended."""
    assert differs in Tape([interaction()]).miss(asked)


def test_a_long_list_of_differences_is_cut(interaction):
    """Six are shown, the others counted."""
    asked = json.dumps({f"field{n}": n for n in range(9)}).encode()

    assert "; and 3 more." in Tape([interaction(request_body=b"{}")]).miss(
        request(body=asked)
    )


def test_an_empty_tape_says_so():
    """There is no nearest recording."""
    assert Tape([]).miss(request()).endswith("The tape is empty.")


@pytest.mark.parametrize(
    ("ignore", "asked", "recorded", "same"),
    [
        ("temperature", {"temperature": 1}, {}, True),
        ("temperature", {"temperature": 1}, {"temperature": 0}, True),
        ("metadata.user", {"metadata": {"user": 1}}, {"metadata": {}}, True),
        ("metadata.user", {"metadata": {"user": 1}}, {}, False),
        ("messages.id", {"messages": [{"id": 1}, {}]}, {"messages": [{}, {}]}, True),
        ("messages.id", {"messages": [{"id": 1}]}, {"messages": [{}, {}]}, False),
        ("model", {"model": "a"}, {"model": "b"}, True),
        ("a.b", {"a": "text"}, {"a": "other"}, False),
    ],
)
def test_fields_can_be_left_out_of_account(interaction, ignore, asked, recorded, same):
    """By name or by path, in every entry of a list; what is above them still counts."""
    one = interaction(request_body=json.dumps(recorded).encode())
    tape = Tape([one], Matching(ignore=(ignore,)))

    request = tape.request("POST", CHAT, (), json.dumps(asked).encode(), "openai")

    assert (tape.play(request) == one) is same


def test_in_order_nothing_but_the_operation_counts(interaction):
    """The n-th gets the n-th; then there is no more, and the miss says so."""
    bodies = [b'{"model":"a"}', b"x", b'{"model":"c"}']
    recorded = [interaction(request_body=b, number=n) for n, b in enumerate(bodies, 1)]
    tape = Tape(recorded, Matching(in_order=True))
    ask, other = request(body=b'{"model":"z"}'), request(f"{CHAT[:-16]}models")

    assert tape.play(ask) == recorded[0]
    assert tape.play(other) is None
    assert tape.miss(other).endswith(
        "The next is tape.yaml #2: POST chat/completions, not POST models."
    )
    assert [tape.play(ask) for _ in range(3)] == [*recorded[1:], None]
    assert "All 3 recordings have been played" in tape.miss(ask)
