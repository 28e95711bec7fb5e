"""What kind of call a path is, however it is spelt."""

import pytest
from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.registry import registry
from lectr_lab.core.routing.paths import api_path, logged_path, operation
from lectr_lab.core.routing.providers import Address, provider_url, resolve

CHAT = b"/v1/chat/completions"
plain_paths = st.sampled_from(
    "/v1/chat/completions /openai/v1/chat/completions /v1/embeddings /v1/responses "
    "/v1/messages /v1/messages/count_tokens /v1/models/gpt-4o /v1/files".split()
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
        (b"/v1/models", "other"),
        (b"/v1/messages/count_tokens", "other"),
    ],
)
def test_a_path_tells_the_operation(path, operation_name):
    """Five are accounted for; the rest pass through."""
    assert operation(path) == operation_name


@pytest.mark.parametrize("path", [b"/", b"/v2/x", b"/v1x", b"/%761/models", b"/health"])
def test_a_path_elsewhere_is_not_ours(path):
    """Only /v1 and /openai/v1 are passed on."""
    assert api_path(path) is None


def test_the_log_holds_no_part_of_a_path_that_a_client_made_up():
    """Ids, names and secrets in a path become stars."""
    path = b"/v1/threads/thread_abc/sk-secret/../runs"

    assert logged_path(path) == "/v1/threads/*/runs"


@st.composite
def spellings(draw, plain):
    """The same path with slashes, dots and percent codes that change nothing."""
    prefix, _, rest = plain.partition("v1/")
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
    return lead + prefix + "v1/" + "/".join(segments) + end


@given(st.data(), plain_paths)
def test_another_spelling_is_the_same_call(data, plain):
    """Operation, provider and the log's path; what is sent on is the path as it came."""
    spelt = data.draw(spellings(plain)).encode()
    headers = ClientHeaders()

    assert operation(spelt) == operation(plain.encode())
    assert logged_path(spelt) == logged_path(plain.encode())
    target = resolve(headers, "brand-new", spelt)
    assert target == resolve(headers, "brand-new", plain.encode())
    row = registry()[target.provider]
    url = provider_url(Address(row.base_url, row.auth), target, spelt, b"", None)
    assert url == f"{row.base_url}/{spelt.decode().partition('v1/')[2]}"


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

    def took_s(size):
        raw_path = b"/v1/" + unit * (size // len(unit))
        uncached = api_path.__wrapped__
        return cpu_s(lambda: [uncached(raw_path) for _ in range(20)])

    assert took_s(131_072) < 16 * 8 * max(took_s(8_192), 1e-4)
