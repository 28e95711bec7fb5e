"""What kind of credential a key is, by how it looks."""

import pytest

from lectr_lab.core.credentials import credential_of
from lectr_lab.core.headers import read_headers


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (b"sk-ant-oat01-x", "plan"),
        (b"sk-ant-api03-x", "api_key"),
        (b"sk-proj-x", "api_key"),
        (b"sk-x", "api_key"),
        (b"gsk_x", "api_key"),
        (b"AIza-x", "api_key"),
        (b"xai-x", "api_key"),
        (b"0123456789abcdef" * 2, "api_key"),  # Azure's
        (b"eyJhbGciOiJ.e30.c2ln", "other"),
        (b"eyJ" + b"a" * 40, "other"),
        (b"ya29.x", "other"),
        (b"gho_x", "other"),
        (b"ollama", "other"),
        (b"", "none"),
        (None, "none"),
    ],
)
def test_a_key_tells_its_kind(key, kind):
    """What is neither a plan's nor an API key's form is other."""
    assert credential_of(key) == kind


@pytest.mark.parametrize(
    ("headers", "query", "kind"),
    [
        ([], b"", "none"),
        ([(b"authorization", b"Bearer ")], b"", "none"),
        ([(b"authorization", b"Bearer sk-ant-oat01-x")], b"", "plan"),
        ([(b"authorization", b"bearer eyJ.x"), (b"chatgpt-account-id", b"a")], b"", "plan"),
        ([(b"chatgpt-account-id", b"a")], b"", "none"),
        ([(b"authorization", b"Bearer eyJ.x")], b"", "other"),
        ([(b"authorization", b"Bearer opaque"), (b"x-api-key", b"k")], b"", "other"),
        ([(b"x-api-key", b"mine")], b"", "api_key"),
        ([(b"api-key", b"mine")], b"", "api_key"),
        ([(b"x-goog-api-key", b"mine")], b"", "api_key"),
        ([], b"alt=sse&key=mine", "api_key"),
        ([(b"api-key", b"eyJ.x")], b"", "other"),
    ],
)  # fmt: skip
def test_a_request_tells_the_kind_of_its_key(headers, query, kind):
    """That of the key that goes out."""
    assert read_headers(headers, None, query).credential == kind
