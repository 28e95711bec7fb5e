"""Forms with files."""

import json

import httpx
import pytest
from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.multipart import fields_as_json, is_multipart
from lectr_lab.core.llm_api.request import read_names, read_request

SOUND = b"\x00\r\n--" * 40_000  # as if it had boundaries in it


def form(data: dict, files: dict, *, files_first: bool = False) -> bytes:
    """As httpx writes it, which puts fields first; or as Node's SDKs may."""
    parts = [(name, (None, value)) for name, value in data.items()]
    sent = list(files.items())
    both = [*sent, *parts] if files_first else [*parts, *sent]
    return httpx.Request("POST", "http://x", files=both).read()


@given(
    data=st.dictionaries(
        st.sampled_from(["model", "prompt", "language", "user", "n"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200).filter(
            lambda text: text.strip() not in ("true", "false")
        ),
    ),
    files_first=st.booleans(),
    sound=st.binary(max_size=300) | st.just(SOUND),
)
def test_fields_are_found_wherever_the_file_stands(data, files_first, sound):
    """Before it or behind it, whatever is in it; the file is no field."""
    body = form(data, {"file": ("a.mp3", sound)}, files_first=files_first)

    assert is_multipart(body)
    assert (json.loads(fields_as_json(body)) or {}) == data


@pytest.mark.parametrize("files_first", [False, True])
def test_a_transcription_tells_its_model(files_first):
    """As any other request; what is said with true is a boolean."""
    said = {"model": "whisper-1", "stream": "false", "prompt": "Ja"}
    body = form(said, {"file": ("a.mp3", SOUND)}, files_first=files_first)

    facts = read_request(body, "audio", quickly=True)

    assert facts is not None
    assert (facts.model, facts.stream, facts.prompt_chars) == ("whisper-1", None, 2)
    names = read_names(body, "audio", quickly=True)
    assert names is not None and names.model == "whisper-1"


@given(st.binary(max_size=400))
def test_what_is_no_form_is_read_and_never_raises(data):
    """Torn, without an end, or with another boundary."""
    json.loads(fields_as_json(b"--x\r\n" + data))
    read_request(b"--" + data, "audio")


def test_the_cost_does_not_grow_with_the_file():
    """Both ends are read, and nothing between them."""
    bodies = [form({"model": "m"}, {"file": ("a", SOUND * n)}) for n in (1, 100)]

    small_s, large_s = (cpu_s(lambda b=b: fields_as_json(b)) for b in bodies)

    assert large_s < 10 * small_s + 0.002


def test_a_form_of_nothing_but_boundaries_is_bounded():
    """A stranger's; so many fields and no more."""
    body = b"--x" + b"\r\n--x" * 20_000

    assert cpu_s(lambda: fields_as_json(body)) < 0.05
