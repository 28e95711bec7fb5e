"""lectr.toml: what may stand in it, and what is said where it cannot be followed."""

import os

import msgspec
import pytest

from lectr_lab.config.settings import (
    DEFAULT_PORT,
    OrgSettings,
    Settings,
    Tls,
    read_settings,
)
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.routing.providers import Address


@pytest.fixture
def written(tmp_path):
    """Write a lectr.toml and read it."""

    def write(text: str, environ=None) -> Settings:
        path = tmp_path / "lectr.toml"
        path.write_text(text, "utf-8")
        return read_settings(path, environ or {})

    return write


def test_nothing_is_required(written, tmp_path):
    """An empty file is the defaults, with the log beside it."""
    settings = written("")

    assert (settings.host, settings.port) == ("127.0.0.1", DEFAULT_PORT)
    assert settings.lab == str(tmp_path.resolve() / "lab")


def test_the_environment_wins(written):
    """LECTR_HOST, LECTR_PORT and LECTR_LAB override the file."""
    environ = {"LECTR_HOST": "::1", "LECTR_PORT": "1", "LECTR_LAB": "elsewhere"}

    settings = written("port = 2", environ)

    assert (settings.host, settings.port, settings.lab) == ("::1", 1, "elsewhere")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port = \n", "line 1"),
        ("port = " + "[" * 5_000 + "]" * 5_000, "it is nested too deeply"),
        ("a" + ".a" * 100_000 + " = 1", "more than 12 parts (at line 1)"),
        ("#" * 1_000_001, "has more than 1,000,000 characters"),
        ("\n\nport = 'x'", "line 3: port: expected `int`, got `str`"),
        ("prot = 1", "line 1: there is no setting 'prot'"),
        ("port = 70000", "line 1: port: write a port"),
        ("max_body_bytes = 0", "line 1: max_body_bytes: write a number above 0"),
        ("connect_timeout_s = -1", "line 1: connect_timeout_s"),
        ("[providers.openai]\nbase_url = 'http://example.com/v1'", "line 2: base_url"),
        (
            "[providers.opnai]\nauth = 'bearer'",
            "line 1: opnai: there is no provider 'opnai'; the providers are anthropic, ",
        ),
        ("\n[providers.azure]\nauth = 'none'", "line 2: azure: its endpoint is an"),
        ("[azure]\nendpoint = 'ftp://x'", "line 2: endpoint"),
        ("upstream = 'https://user:pw@host/v1'", "line 1: upstream"),
        ("engine = 'curl'", "line 1: engine"),
        ("[orgs.a]\nrequests_per_minute = 0", "line 2: requests_per_minute: write a"),
        ("[orgs.a]\nconcurrent_streams = -1", "line 2: concurrent_streams: write a"),
        ("[orgs.a]\ndaily_spend_usd = 0", "line 2: daily_spend_usd: write a number"),
        ("[orgs.a]\nrequests_per_minute = 1.5", "line 2: orgs[...].requests_per_m"),
        ("\nhttp_proxy = 'localhost:3128'", "line 2: http_proxy: write http://host"),
        ("http_proxy = 'http://me:word@host:no'", "line 1: http_proxy: write http"),
        ("tls_cert = 'a.pem'", "line 1: tls_cert: tls_cert and tls_key only work"),
        ("tls_key = 'a.pem'", "line 1: tls_key: tls_cert and tls_key only work"),
        ("allowed_hosts = ['http://a']", "line 1: allowed_hosts: write names without"),
        ("allowed_hosts = 'a'", "line 1: allowed_hosts: expected `array`"),
        ("host = '0.0.0.0'", "line 1: host: '0.0.0.0' can be reached from other"),
        ("host = '::'", "allow_plain_http = true"),
        (
            "allow_plain_http = true\nhost = '::'\nkey_in_path = true",
            "line 3: key_in_path: a key in a path is for clients on this machine",
        ),
    ],
)
def test_a_mistake_is_named_by_file_and_line(written, text, expected):
    """Which file, which line, what to write."""
    with pytest.raises(ConfigError) as error:
        written(text)

    assert "lectr.toml" in str(error.value)
    assert expected.lower() in str(error.value).lower()


def test_a_missing_file_says_how_to_make_one(tmp_path):
    """`lectr-lab init` writes it."""
    with pytest.raises(ConfigError, match="lectr-lab init"):
        read_settings(tmp_path / "lectr.toml", {})


def test_an_unreadable_file_is_a_clear_error(tmp_path):
    """A folder, binary data: the reason, and no traceback of ours."""
    (tmp_path / "lectr.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "lectr.toml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_settings(path, {})


def test_a_local_server_stands_in_for_everyone():
    """`upstream` takes every provider's traffic, and needs no key."""
    settings = Settings(upstream="http://127.0.0.1:8080/v1/")

    for provider in ("openai", "anthropic", "azure"):
        assert settings.address_for("me", provider) == Address(
            "http://127.0.0.1:8080/v1", "none"
        )


def test_azure_is_an_organisations_own(written):
    """An org's [orgs.<name>.azure] wins over [azure]; without either there is none."""
    settings = written(
        "[azure]\nendpoint = 'https://all.openai.azure.com/'\n"
        "[orgs.b.azure]\nendpoint = 'https://b.openai.azure.com'\n"
        "api_version = 'v9'\nauth = 'bearer'"
    )

    assert Settings().address_for("a", "azure") is None
    assert settings.address_for("a", "azure") == Address(
        "https://all.openai.azure.com", "api-key", "2024-10-21"
    )
    assert settings.address_for("b", "azure") == Address(
        "https://b.openai.azure.com", "bearer", "v9"
    )


def test_the_template_of_init_is_the_defaults(written):
    """What `lectr-lab init` writes changes nothing."""
    from lectr_lab.cli.templates import SETTINGS

    assert written(SETTINGS) == written("")
    uncommented = "\n".join(
        line.removeprefix("# ") if "=" in line or line.startswith("# [") else line
        for line in SETTINGS.replace("# upstream", "#upstream").splitlines()
    )
    assert written(uncommented.replace("<your resource>", "x")).azure is not None
    assert "LECTR_LAB" not in os.environ


def test_limits_are_an_organisations_own(written):
    """[orgs.<name>]; none unless configured."""
    settings = written(
        "[orgs.a]\nrequests_per_minute = 60\nconcurrent_streams = 4\n"
        "max_body_bytes = 1000\ndaily_spend_usd = 2.5\n[orgs.b]"
    )

    assert settings.orgs["a"] == OrgSettings(
        requests_per_minute=60,
        concurrent_streams=4,
        max_body_bytes=1000,
        daily_spend_usd=2.5,
    )
    assert settings.orgs["b"] == OrgSettings()


def test_beyond_loopback_it_takes_tls_or_the_operators_word(written, tmp_path):
    """The certificate lies beside the file that names it."""
    tls = written("host = '0.0.0.0'\ntls_cert = 'c.pem'\ntls_key = '/k.pem'")
    plain = written("host = '0.0.0.0'\nallow_plain_http = true")
    by_flag = written("host = '0.0.0.0'", {"LECTR_ALLOW_PLAIN_HTTP": "1"})

    assert tls.tls == Tls(str(tmp_path.resolve() / "c.pem"), "/k.pem")
    assert tls.base_url() == f"https://0.0.0.0:{DEFAULT_PORT}"
    assert plain.base_url(1) == by_flag.base_url(1) == "http://0.0.0.0:1"
    with pytest.raises(ConfigError):
        written("host = '0.0.0.0'", {"LECTR_ALLOW_PLAIN_HTTP": "false"})
    with pytest.raises(ConfigError, match="allow_plain_http"):
        Settings(host="0.0.0.0").check_bind()
    tls.check_bind()


def test_a_key_in_a_path_is_for_loopback_alone(written):
    """Whatever encrypts it: the address that it is bound to in the end counts."""
    mine = written("key_in_path = true")

    mine.check_bind()
    for host in ("0.0.0.0", "192.0.2.1", "a-name"):
        beyond = msgspec.structs.replace(mine, host=host, allow_plain_http=True)
        with pytest.raises(ConfigError, match="key_in_path"):
            beyond.check_bind()


def test_workers_are_a_number_of_processes(tmp_path):
    """One unless told, in the file or the environment; none, or a thousand, is an error."""
    path = tmp_path / "lectr.toml"
    path.write_text("workers = 2")

    assert Settings().workers == 1
    assert read_settings(path, {}).workers == 2
    assert read_settings(path, {"LECTR_WORKERS": "3"}).workers == 3
    for wrong in ("0", "1000"):
        with pytest.raises(ConfigError, match=r"workers.*from 1 to 64"):
            read_settings(None, {"LECTR_WORKERS": wrong})
