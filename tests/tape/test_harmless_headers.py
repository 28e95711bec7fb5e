"""The headers that a cassette keeps whole."""

import csv
from pathlib import Path

import pytest

from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.harmless_headers import is_harmless_header, kept_headers
from lectr_lab.tape.secret_names import is_dropped_header

INDEX = Path(__file__).parents[2].parent / "shared/cassettes/INDEX.tsv"
READ_BY_SDKS = """content-type content-length content-encoding retry-after retry-after-ms
    x-should-retry x-request-id request-id apim-request-id cf-ray x-ratelimit-limit-tokens
    anthropic-ratelimit-requests-reset anthropic-version anthropic-beta openai-model
    openai-processing-ms openai-version x-stainless-lang x-stainless-retry-count
    user-agent accept accept-encoding date server transfer-encoding""".split()
OTHERS = """authorization x-api-key cookie set-cookie openai-organization openai-project
    anthropic-organization-id ocp-apim-subscription-key x-litellm-api-key x-tenant
    x-portkey-api-key x-portkey-config helicone-auth x-functions-key x-forwarded-for
    x-goog-iam-authorization-token x-ms-authorization-auxiliary x-amz-security-token
    x-auth-token x-access-token langsmith-api-key refresh-token x-acme anthropic-my-key
    x-goog-api-key x-upstream-authorization cf-connecting-ip""".split()


@pytest.mark.parametrize("name", READ_BY_SDKS)
def test_what_sdks_read_stays(name):
    """In any case of letters."""
    assert is_harmless_header(name.encode())
    assert is_harmless_header(name.title().encode())


@pytest.mark.parametrize("name", OTHERS)
def test_all_others_do_not(name):
    """Keys, accounts, gateways, and what nobody knows."""
    assert not is_harmless_header(name.encode())


def test_every_row_says_why():
    """And its names are as they are compared."""
    for row in kept_headers():
        assert row.why.endswith(".")
        assert all(name == name.lower() for name in (*row.names, *row.but))


def recordings():
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    return [path for path in paths if not path.startswith("parsed_body/")]


@pytest.mark.parametrize("path", recordings())
def test_no_value_of_a_real_recording_is_withheld(shared, path):
    """But of keys, cookies and accounts."""
    for one in read_cassette(shared / "cassettes" / path):
        for name, _ in (*one.request_headers, *one.response_headers):
            assert is_harmless_header(name) or is_dropped_header(name), name
