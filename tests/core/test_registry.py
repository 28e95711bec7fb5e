"""A row of the registry is a provider: what it says holds everywhere."""

import ast
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lectr_lab
from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.core.headers import forwarded_request_headers, read_headers
from lectr_lab.core.registry import (
    no_provider,
    offers,
    provider_of_host,
    provider_of_key,
    provider_of_model,
    registry,
    shipped,
)
from lectr_lab.core.routing.providers import Address
from lectr_lab.tape.cassette import provider_of

PACKAGE = Path(lectr_lab.__file__).parent
ROWS = [pytest.param(name, row, id=name) for name, row in registry().items()]
NAMED = [
    pytest.param(name, row, id=name)
    for name, row in shipped().items()
    if name not in registry()
]
each_row = pytest.mark.parametrize(("name", "row"), ROWS)
each_named_row = pytest.mark.parametrize(("name", "row"), NAMED)


@each_row
def test_a_row_says_where_it_is_from(name, row):
    """Each has its pages; each is reached by HTTPS, or at an organisation's own."""
    assert row.source.startswith("https://")
    assert bool(row.models) == row.models_source.startswith("https://")
    assert row.base_url.startswith("https://") != bool(row.hosts)
    assert not row.base_url.endswith("/")


@each_row
def test_a_row_is_found_by_what_it_owns(name, row):
    """By its models, its keys and its hosts, in any case where names have none."""
    for glob in row.models:
        assert provider_of_model(glob.replace("*", "x").upper()) == name
    for prefix in (*row.key_prefixes, *row.bearer_key_prefixes):
        assert provider_of_key(prefix.encode() + b"x") == name
    for host in row.hosts or [urlsplit(row.base_url).hostname]:
        assert provider_of_host(host) == provider_of_host(f"me.{host}") == name
        assert provider_of(f"https://{host}:443/v1/models?a=1") == name
        assert provider_of_host(f"not{host}") is None
    assert all(offers(name, operation) for operation in row.operations)


@each_row
def test_a_row_can_be_named_in_the_header(name, row):
    """And its requests go to its own address."""
    sent = name.title().encode()

    assert read_headers([(b"x-lectr-provider", sent)]).provider == name
    address = Settings().address_for("me", name)
    assert (address.base_url if address else "") == row.base_url


@each_named_row
def test_a_named_row_takes_a_table_and_no_more(name, row):
    """Without it neither its name nor its models tell; its keys alone do, to its address."""
    with_table = Settings(providers={name: ProviderSettings()})
    sent = [(b"x-lectr-provider", name.upper().encode())]

    assert row.source.startswith("https://")
    assert (row.auth == "none") <= row.base_url.startswith("http://127.0.0.1:")
    assert read_headers(sent).provider is None
    assert read_headers(sent, with_table.registry()).provider == name
    for glob in row.models:
        assert with_table.registry().of_model(glob.replace("*", "x")) == name
        assert provider_of_model(glob.replace("*", "x")) in (None, "groq")
    for prefix in row.key_prefixes:
        assert provider_of_key(prefix.encode() + b"x") == name
    for settings in (Settings(), with_table):
        address = settings.address_for("me", name)
        assert (address.base_url, address.auth) == (row.base_url, row.auth)


def test_a_provider_of_ones_own_takes_its_address():
    """Its models, first of all; how it takes keys, where it is not as OpenAI does."""
    mine = ProviderSettings(base_url="http://127.0.0.1:9/v1/", models=("gpt-4o-*",))
    settings = Settings(providers={"mine": mine})

    known = settings.registry()

    assert known.of_model("GPT-4o-team") == "mine"
    assert known.of_model("gpt-4o") == "openai"
    assert read_headers([(b"x-lectr-provider", b"Mine")], known).provider == "mine"
    assert settings.address_for("me", "mine") == Address(
        "http://127.0.0.1:9/v1", "bearer"
    )


@each_row
def test_a_key_in_the_header_of_a_vendors_sdk_stays_in_no_other(name, row):
    """It is read where the SDK puts it, and leaves in the target's header alone."""
    if row.auth not in ("bearer", "none"):
        assert row.sdk_key_header == row.auth  # else another's key could go out in it
    if row.sdk_key_header:
        raw = [(row.sdk_key_header.encode(), b"k")]

        headers = forwarded_request_headers(raw, read_headers(raw), "bearer")

        assert headers == [(b"authorization", b"Bearer k")]


def test_what_is_in_no_row_is_nobodys():
    """An unknown name is an answer of None, or a sentence with those there are."""
    assert provider_of_model("my-deployment") is provider_of_key(b"sk-x") is None
    assert provider_of_host("") is provider_of_host("127.0.0.1") is None
    assert not offers("nobody", "messages")
    assert all(name in no_provider("nobody") for name in ("nobody", *registry()))


def test_no_code_has_a_providers_host():
    """They stand in the rows; examples in docstrings and texts may name one."""
    rows = shipped().values()
    hosts = [host for row in rows for host in row.hosts]
    hosts += [urlsplit(row.base_url).netloc for row in rows if row.base_url]
    words = [
        (path.name, node.value)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if " " not in node.value
    ]

    assert hosts
    assert not [word for word in words if any(host in word[1] for host in hosts)]
