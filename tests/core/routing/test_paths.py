"""What kind of call a path is, however it is spelt."""

import re

import pytest
from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.routing.paths import api_path, logged_path, operation
from lectr_lab.core.routing.providers import Address, provider_url, resolve

CHAT = b"/v1/chat/completions"
plain_paths = st.sampled_from(
    "/v1/chat/completions /openai/v1/chat/completions /v1/embeddings /v1/responses "
    "/v1/messages /v1/messages/count_tokens /v1/models/gpt-4o /v1/files "
    "/upload/v1beta/files /v1beta/models/gemini-3:generateContent".split()
)


@pytest.mark.parametrize(
    ("path", "operation_name"),
    [
        (CHAT, "chat"),
        (b"/openai/v1/chat/completions", "chat"),
        (b"/v1/completions", "completions"),
        (b"/v1/embeddings", "embeddings"),
        (b"/v1/responses", "responses"),
        (b"/v1/messages", "messages"),
        (b"/v1/messages/count_tokens", "count_tokens"),
        (b"/v1/messages/batches/b1/results", "batches"),
        (b"/v1/responses/compact", "compact"),
        (b"/v1/responses/resp_1", "other"),
        (b"/v1/models", "models"),
        (b"/v1/models/gpt-4o", "models"),
        (b"/v1/files/f1/content", "files"),
        (b"/v1/images/generations", "images"),
        (b"/v1/audio/transcriptions", "audio"),
        (b"/v1/moderations", "moderations"),
        (b"/v1/rerank", "rerank"),
        (b"/v1beta/models/gemini-3:generateContent", "generate_content"),
        (b"/v1beta/models/gemini-3:streamGenerateContent", "generate_content"),
        (b"/v1/models/gemini-3:generateContent", "generate_content"),
        (b"/v1beta/models/gemini-3:countTokens", "count_tokens"),
        (b"/v1beta/models/gemini-3:batchEmbedContents", "embeddings"),
        (b"/v1beta/openai/chat/completions", "chat"),
        (b"/upload/v1beta/files", "files"),
        (b"/v1/threads", "other"),
    ],
)
def test_a_path_tells_the_operation(path, operation_name):
    """What is none of these passes through."""
    assert operation(path) == operation_name


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/v2/x",
        b"/v1x",
        b"/%761/models",
        b"/v1betax",
        b"/upload/v1/x",
        b"/v1/v1/x",
        b"/v1//%761/x",
        b"/v1/v1beta",
        b"/v1beta/v1/models/m:generateContent",
        b"/v1beta/v1beta/models",
        b"/openai/v1/v1/chat/completions",
        b"/v1/upload/v1beta/files",
    ],
)
def test_a_path_elsewhere_is_not_ours(path):
    """A second /v1 is a client's base URL with one too many."""
    assert api_path(path) is None


def test_the_log_holds_no_part_of_a_path_that_a_client_made_up():
    """Ids, names and secrets in a path become stars."""
    geminis = b"/v1beta/tunedModels/mine:generateContent"
    assert logged_path(geminis) == "/v1beta/tunedModels/*:generateContent"
    path = b"/v1/threads/thread_abc/sk-secret/../runs"

    assert logged_path(path) == "/v1/threads/*/runs"


@st.composite
def spellings(draw, plain):
    """The same path with slashes, dots and percent codes that change nothing."""
    prefix, version, rest = re.split("(v1/|v1beta/)", plain, maxsplit=1)
    segments = []
    for segment in rest.split("/"):
        coded = [
            draw(st.sampled_from([c, f"%{ord(c):02X}", f"%{ord(c):02x}"]))
            for c in segment
        ]
        around = draw(st.sampled_from(["", "/", "./", "x/../", "a/b/../%2e%2e/"]))
        segments.append(around + "".join(coded))
    lead = draw(st.sampled_from(["", "/", "//", "/./"])).removesuffix("/")
    end = draw(st.sampled_from(["", "/", "//", "/."]))
    return lead + prefix + version + "/".join(segments) + end


@given(st.data(), plain_paths)
def test_another_spelling_is_the_same_call(data, plain):
    """Operation, provider and the log's path; what is sent on is the path as it came."""
    spelt = data.draw(spellings(plain)).encode()
    headers = ClientHeaders()

    assert operation(spelt) == operation(plain.encode())
    assert logged_path(spelt) == logged_path(plain.encode())
    target = resolve(headers, "brand-new", spelt)
    assert target == resolve(headers, "brand-new", plain.encode())
    url = provider_url(Address("https://h/v1", "bearer"), target, spelt, b"", None)
    _, version, sent = re.split("(v1/|v1beta/)", spelt.decode(), maxsplit=1)
    upload = "upload/" * plain.startswith("/upload")
    assert url == f"https://h/{upload}{version}{sent}"


@pytest.mark.parametrize(
    "path",
    [b"/v1/..", b"/v1/../health", b"/v1/chat/%2e%2E/../v1/orgs", b"/v1/a/../../b"],
)
def test_dots_lead_nowhere_else(path):
    """Out of the API there is nothing that a provider could be asked for."""
    assert api_path(path) is None


@pytest.mark.parametrize(
    "code", [b"%2F", b"%25", b"%252e", b"%3F", b"%00", b"%", b"%zz"]
)
def test_other_codes_stay(code):
    """A slash that is encoded parts nothing, and nothing is decoded twice."""
    path = api_path(b"/v1/chat" + code + b"completions")

    assert path is not None
    assert path.plain == b"chat" + code + b"completions"


@pytest.mark.parametrize("unit", [b"/", b"/.", b"/..", b"%2e", b"%25", b"a/../", b"./"])
def test_long_paths_cost_what_they_are_long(unit):
    """Sixteen times the bytes take about sixteen times the processor's time."""

    def took_s(size, enough_s=0.0):
        raw_path = b"/v1/" + unit * (size // len(unit))
        uncached = api_path.__wrapped__
        work = lambda: [uncached(raw_path) for _ in range(20)]
        return cpu_s(work, enough_s=enough_s)

    bound_s = 16 * 8 * max(took_s(8_192), 1e-4)
    assert took_s(131_072, bound_s) < bound_s
