"""Which recording answers a request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.match import Tape, comparable

CHAT = "https://api.openai.com/v1/chat/completions"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def request(url=CHAT, body=b'{"model":"m"}', provider="openai", **more):
    return comparable(
        more.get("method", "POST"), url, more.get("headers", ()), body, provider
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "http://127.0.0.1:8080/v1/chat/completions",
        "http://tape/chat/completions",
        "https://api.groq.com/openai/v1/chat/completions",
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        "https://me.openai.azure.com/openai/deployments/m/chat/completions?api-version=1",
        "https://me.openai.azure.com//openai/deployments/m/chat/completions",
        "http://127.0.0.1:8080/some/prefix/v1/chat/completions",
    ],
)
def test_the_operation_is_what_follows_a_providers_prefix(url):
    """One request has one key, whichever provider's address it was sent to."""
    assert request(url).operation == "chat/completions"
    assert request(url).key == request().key


def test_azure_names_its_model_in_the_path():
    """The deployment is the model where the body has none."""
    url = "https://me.openai.azure.com/openai/deployments/gpt%204/chat/completions"

    assert request(url, b"{}").model == "gpt 4"
    assert request(url, b'{"model":"m"}').model == "m"


@given(document=st.dictionaries(st.text(), JSON, max_size=3))
def test_spacing_and_order_of_json_do_not_count(document):
    """The same values are the same request, however they were written."""
    backwards = dict(reversed(document.items()))

    one = request(body=json.dumps(document).encode())
    other = request(body=json.dumps(backwards, indent=2, ensure_ascii=False).encode())

    assert one == other


@given(document=st.dictionaries(st.text(), JSON, max_size=3))
def test_another_value_is_another_request(document):
    """Nothing of the body is overlooked; a miss names where it differs."""
    document.pop("model", None)
    document["seed"] = 1
    changed = document | {"seed": 2}

    one, other = (request(body=json.dumps(d).encode()) for d in (document, changed))

    assert one.key != other.key


def test_what_is_not_json_is_compared_by_its_bytes():
    """A multipart upload, say."""
    assert request(body=b"--x\r\n\xff").key == request(body=b"--x\r\n\xff").key
    assert request(body=b"--x\r\n\xff").key != request(body=b"--y\r\n\xff").key


def test_keys_do_not_count():
    """A recording was scrubbed; the request that asks for it has a key of its own."""
    recorded = request(CHAT + "?key=[redacted]&b=1", b'{"a":"[redacted]"}')
    asked = request(
        CHAT + "?b=1&key=abcdefgh",
        b'{"a":"my-own-key-1"}',
        headers=[(b"authorization", b"Bearer my-own-key-1")],
    )

    assert asked.key == recorded.key


def test_the_query_counts(interaction):
    """But for keys and Azure's version."""
    url = "https://api.openai.com/v1/models?after=1"

    assert request(url).key != request(url.replace("1", "2")).key


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
