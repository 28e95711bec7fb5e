"""The names that secrets stand under."""

import pytest

from lectr_lab.tape.secret_names import (
    is_dropped_header,
    is_key_header,
    is_secret_field,
    is_secret_in_url,
    is_secret_of_call,
)

KEY_HEADERS = """
    Authorization Proxy-Authorization x-api-key api-key x-goog-api-key x-lectr-key
    Ocp-Apim-Subscription-Key x-litellm-api-key x-portkey-api-key x-portkey-virtual-key
    x-portkey-aws-secret-access-key x-portkey-aws-session-token Helicone-Auth
    Helicone-OpenAI-Api-Key x-functions-key x-goog-iam-authorization-token
    x-ms-authorization-auxiliary x-ms-copy-source-authorization x-amz-security-token
    x-auth-token x-access-token langsmith-api-key refresh-token x-bf-vk Private-Token
    x-vault-token x-rapidapi-key dd-api-key x-amzn-oidc-accesstoken x-amzn-oidc-data
    x-goog-iap-jwt-assertion x-csrf-token Cookie Set-Cookie x-forwarded-client-cert
    x_api_key x-client-secret x-amz-signature
""".split()
OTHER_HEADERS = """
    Accept Content-Type User-Agent Idempotency-Key x-ratelimit-limit-tokens
    x-ratelimit-remaining-tokens anthropic-ratelimit-input-tokens-remaining
    x-ratelimit-key x-request-id apim-request-id openai-processing-ms x-should-retry
    x-ms-client-request-id x-litellm-key-spend x-litellm-response-cost traceparent
    www-authenticate retry-after etag x-stainless-lang anthropic-version vary
    x-prompt-token-count x-keyboard x-author helicone-property-feature
""".split()


@pytest.mark.parametrize("name", KEY_HEADERS)
def test_headers_that_carry_a_secret_are_dropped(name):
    """Providers', clouds' and gateways', of requests and replies."""
    assert is_key_header(name.encode())
    assert is_dropped_header(name.encode())


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_other_headers_stay(name):
    """Those that a client reads above all: limits, ids, times."""
    assert not is_dropped_header(name.encode())


@pytest.mark.parametrize(
    "name",
    """api_key apiKey API-KEY x-api-key openai_api_key encoded_api_key password
    db_password passphrase secret client_secret clientSecret aws_secret_access_key
    access_token refresh_token id_token authorization authorization_token private_key
    connection_string subscription_key account_key session_token jwt set-cookie
    X-Amz-Credential""".split(),
)
def test_fields_that_hold_a_secret_are_known(name):
    """However they are written, and behind a prefix."""
    assert is_secret_field(name.encode())


@pytest.mark.parametrize(
    "name",
    """max_tokens tokens token prompt_tokens completion_tokens total_tokens bos_token
    next_page_token pad_token key keys signature thinking encrypted_content embedding
    data content secrets_found passwords primary_key_column tokenizer author
    cache_key_ttl content_filter_results obfuscation""".split(),
)
def test_other_fields_are_not(name):
    """Counts, pieces, pages, signatures; `token` and `key` need more than a name."""
    assert not is_secret_field(name.encode())


@pytest.mark.parametrize(
    "name",
    """sig X-Amz-Signature X-Amz-Credential X-Amz-Security-Token X-Goog-Signature
    X-Goog-Credential Signature AWSAccessKeyId subscription-key client_secret
    refresh_token secret jwt auth token access_token id_token password api_key""".split(),
)
def test_parameters_that_sign_or_open_are_known(name):
    """In the URL of the call, and in any other."""
    assert is_secret_in_url(name.encode(), b"v")
    assert is_secret_of_call(name.encode())


def test_words_are_secret_in_the_calls_own_url():
    """In another only a long one, as Azure's and Google's keys are."""
    for name in (b"key", b"code"):
        assert is_secret_of_call(name)
        assert not is_secret_in_url(name, b"200")
        assert is_secret_in_url(name, b"a1" * 20)
    for name in (b"api-version", b"alt", b"model", b"limit", b"se", b"X-Amz-Date"):
        assert not is_secret_of_call(name)
