"""Secrets in a text, by what stands before them."""

import pytest

from lectr_lab.tape.text_secrets import named_secrets

HUSH = "hush-0123456789-a"


def secrets(text):
    return [
        text.encode()[start:end].decode() for start, end in named_secrets(text.encode())
    ]


@pytest.mark.parametrize(
    "text",
    [
        "OPENAI_API_KEY=<>",
        "export DB_PASSWORD='<>'",
        "password: <>",
        'client_secret = "<>"',
        "the password is <>.",
        "my api key: `<>`",
        "curl --api-key <> https://x.test",
        "https://x.test/f?sig=<>&a=1",
        "https://x.test/#access_token=<>",
        "redis://:<>@cache.test",
        "Authorization: Bearer <>",
        'so {"password": "<>"} is',
    ],
)
def test_a_name_gives_it_away(text):
    """Of a variable, a setting, a flag, a parameter, or in prose."""
    assert HUSH in secrets(text.replace("<>", HUSH))


@pytest.mark.parametrize(
    "text",
    [
        "api_key=os.environ['OPENAI_API_KEY_2']",
        "auth_token = base64.b64encode(user)",
        "password = getpass2('password: ')",
        "token: str | None = None, max_tokens=1024",
        "api_key = your-api-key-1234",
        "secret: ${SECRET_1} or {{ secret_2 }} or <secret3>",
        "verdaccio-htpasswd: 13.0.0-next-8.29",
        "the key is 12345678, the token count is 50257",
        "sort_key=created_at_2024, primary_key: user_id_1234",
        "key: projects/123456/locations/europe-west4",
        "the secret is that 2 and 2 are 4",
    ],
)
def test_code_counts_and_placeholders_stay(text):
    """What is no secret although something says so."""
    assert secrets(text) == []
