"""What programs are started with."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.programs.known import programs
from lectr_lab.programs.logins import facts
from lectr_lab.programs.setup import Way, asks_elsewhere, set_up

ROOT = "http://127.0.0.1:7"
KEY = "lc_key_x"
HEADERS = {"X-Lectr-Key": KEY, "X-Lectr-Feature": "my app"}
LOGINS = {"login.anthropic", "login.key"}
STARTED = [name for name, program in programs().items() if not program.refused]
KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"]
KEYS += ["COPILOT_PROVIDER_API_KEY", "GROQ_API_KEY"]


def setup(name, environ=None, settings=None, logins=()):
    """As `lectr-lab run` sets a program up, but for the logins of this machine."""
    own = {"HOME": "/nowhere", **(environ or {})}
    told = facts([name], own) | set(logins)
    return set_up(
        programs()[name], Way(ROOT, HEADERS), own, told, settings or Settings()
    )


@given(
    name=st.sampled_from(STARTED),
    environ=st.dictionaries(
        st.sampled_from([*KEYS, "COPILOT_PROVIDER_TYPE", "NO_PROXY", "OTHER"]),
        st.sampled_from(["", "a", "anthropic"]),
    ),
)
def test_no_argument_has_a_key_and_no_variable_a_new_one(name, environ):
    """Arguments are everybody's to read; whoever pays stays who it was."""
    found = setup(name, environ, logins=LOGINS)

    assert KEY not in str(found.words)
    assert not found.variables.keys() & {*KEYS, "OPENAI_ORGANIZATION"}
    assert found.variables["LECTR_KEY"] == KEY
    assert found.variables["NO_PROXY"].split(",")[-1] == "127.0.0.1"


def test_claude_code_is_pointed_without_v1():
    """Headers are lines; the user's own stay, an earlier proxy's go."""
    environ = {"ANTHROPIC_CUSTOM_HEADERS": "X-Mine: 1\nx-lectr-key: lc_key_old"}

    found = setup("claude", environ).variables

    assert found["ANTHROPIC_BASE_URL"] == ROOT
    lines = ["X-Mine: 1", "X-Lectr-Key: lc_key_x", "X-Lectr-Feature: my app"]
    assert found["ANTHROPIC_CUSTOM_HEADERS"].split("\n") == lines


def test_claude_code_on_a_cloud_is_left_alone():
    """It is said, and no header of ours goes to that cloud."""
    found = setup("claude", {"CLAUDE_CODE_USE_BEDROCK": "1"})

    assert not [name for name in found.variables if name.startswith("ANTHROPIC")]
    assert "not seen" in found.notices[0]


@pytest.mark.parametrize(
    ("environ", "auth"),
    [
        ({"OPENAI_API_KEY": "k"}, 'model_providers.lectr.env_key="OPENAI_API_KEY"'),
        ({}, "model_providers.lectr.requires_openai_auth=true"),
    ],
)
def test_codex_gets_a_provider_of_its_own(environ, auth):
    """By arguments, whose headers name variables; with the key that it has."""
    found = setup("codex", environ)

    assert 'model_providers.lectr.base_url="http://127.0.0.1:7/v1"' in found.words
    assert found.words[::2] == ("-c",) * (len(found.words) // 2)
    assert found.words[-1] == auth
    told = tomllib.loads("\n".join(found.words[1::2]))["model_providers"]["lectr"]
    sent = {h: found.variables[n] for h, n in told["env_http_headers"].items()}
    assert sent == HEADERS | {"X-Lectr-Task": "", "X-Lectr-Session": ""}
    assert found.variables["LECTR_FEATURE"] == "my app"
    assert found.variables["LECTR_TASK"] == ""  # and not that of a run around this one


@pytest.mark.parametrize("login", ["chatgpt_alone", "other_provider"])
def test_codex_with_another_login_runs_as_ever(login):
    """It would be refused, or ask another vendor."""
    logins = [f"login.{login}", "login.chatgpt"][: 1 + (login == "chatgpt_alone")]

    found = setup("codex", logins=logins)

    assert found.words == ()
    assert len(found.notices) == 1 and "not seen" in found.notices[0]


def test_a_plan_that_an_api_key_stands_in_for_is_told():
    """It is billed apart."""
    [notice] = setup("codex", {"OPENAI_API_KEY": "k"}, logins=["login.chatgpt"]).notices

    assert "billed" in notice


def test_opencode_gets_the_providers_that_it_has():
    """And keeps what is set for them."""
    own = {"provider": {"anthropic": {"options": {"timeout": 5}}}, "theme": "x"}
    environ = {"OPENCODE_CONFIG_CONTENT": json.dumps(own), "GROQ_API_KEY": "k"}

    found = setup("opencode", environ, logins=["login.anthropic"])

    config = json.loads(found.variables["OPENCODE_CONFIG_CONTENT"])
    provider = config["provider"]
    assert provider.keys() == {"anthropic", "groq"}
    assert provider["anthropic"]["options"] == {
        "timeout": 5,
        "baseURL": f"{ROOT}/v1",
        "headers": HEADERS,
    }
    assert provider["groq"]["options"]["baseURL"] == f"{ROOT}/openai/v1"
    assert (config["theme"], found.notices) == ("x", ())


def test_gemini_cli_gets_headers_with_commas_between():
    """Its own, which may have commas in them, stay."""
    environ = {"GEMINI_API_KEY": "k", "GEMINI_CLI_CUSTOM_HEADERS": "A: 1, 2, B: 3"}

    found = setup("gemini", environ, logins=["login.key"]).variables

    assert found["GOOGLE_GEMINI_BASE_URL"] == ROOT
    assert found["GEMINI_CLI_CUSTOM_HEADERS"] == (
        "A: 1, 2, B: 3, X-Lectr-Key: lc_key_x, X-Lectr-Feature: my app"
    )


@pytest.mark.parametrize(
    ("kind", "url"), [("", "/v1"), ("openai", "/v1"), ("anthropic", "")]
)
def test_copilot_asks_a_provider_of_ones_own(kind, url):
    """In the form that it is told to ask in."""
    environ = {"COPILOT_PROVIDER_API_KEY": "k", "COPILOT_PROVIDER_TYPE": kind}

    found = setup("copilot", environ).variables

    assert found["COPILOT_PROVIDER_BASE_URL"] == ROOT + url
    assert found["COPILOT_OFFLINE"] == "true"


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("copilot", {}),
        ("copilot", {"COPILOT_PROVIDER_TYPE": "azure"}),
        ("gemini", {}),
        ("gemini", {"GEMINI_API_KEY": "k"}),
        ("opencode", {}),
    ],
)
def test_what_cannot_be_seen_runs_as_ever(name, environ):
    """It is said why."""
    found = setup(name, environ)

    assert found.notices
    ours = {"LECTR_KEY", "LECTR_FEATURE", "LECTR_TASK", "LECTR_SESSION"}
    ours |= {"LECTR_BASE_URL", "NO_PROXY", "no_proxy"}
    assert found.variables.keys() == ours
    assert not found.words and not found.files


def test_aider_reads_headers_from_a_file():
    """Its SDK reads them from no variable."""
    found = setup("aider")

    assert found.variables["OPENAI_API_BASE"] == f"{ROOT}/v1"
    [settings] = json.loads(found.files["AIDER_MODEL_SETTINGS_FILE"])
    assert settings["name"] == "aider/extra_params"
    assert settings["extra_params"]["extra_headers"] == HEADERS


def test_any_program_gets_what_sdks_read():
    """Each its own form of the address."""
    found = setup("any").variables

    assert found["OPENAI_BASE_URL"] == f"{ROOT}/v1"
    assert found["ANTHROPIC_BASE_URL"] == found["GROQ_BASE_URL"] == ROOT
    headers = [v for name, v in found.items() if name.endswith("CUSTOM_HEADERS")]
    assert headers == ["X-Lectr-Key: lc_key_x\nX-Lectr-Feature: my app"] * 3


def test_another_server_keeps_its_key_and_its_prompts():
    """What a variable names is not asked in another's place; the rest goes on."""
    url = "https://me:planted@gw.test:8000/openai"

    found = setup("any", {"OPENAI_BASE_URL": url})

    assert not [name for name in found.variables if name.startswith("OPENAI")]
    assert found.variables["ANTHROPIC_BASE_URL"] == ROOT
    [notice] = found.notices
    assert "OPENAI_BASE_URL names gw.test:8000" in notice
    assert "planted" not in notice


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("", Settings()),
        ("https://api.openai.com/v1", Settings()),
        ("http://127.0.0.1:8484/v1", Settings()),
        ("http://127.0.0.1:9/v1", Settings()),
        ("https://gw.test", Settings(upstream="http://127.0.0.1:1/v1")),
        (
            "https://gw.test",
            Settings(
                providers={"openai": ProviderSettings(base_url="https://gw.test/v1")}
            ),
        ),
    ],
)
def test_the_server_that_the_proxy_asks_is_no_other(url, settings):
    """The vendor's, the one in lectr.toml, a proxy of ours or a run around this one."""
    environ = {"OPENAI_BASE_URL": url, "LECTR_BASE_URL": "http://127.0.0.1:9"}
    [part, *_] = programs()["any"].parts

    assert asks_elsewhere(part, environ, settings) is None


def test_the_vendors_server_is_another_where_the_proxy_asks_a_gateway():
    """A key for the vendor must not reach the gateway."""
    settings = Settings(
        providers={"openai": ProviderSettings(base_url="https://gw.test/v1")}
    )
    [part, *_] = programs()["any"].parts

    assert asks_elsewhere(
        part, {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, settings
    )


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_googles_sdks_are_pointed_where_the_key_may_be_in_the_path(name):
    """They can send no header of ours; where it may not be, that is said, and their
    calls go where they went."""
    closed = setup("any", {name: "k"})
    assert "GOOGLE_GEMINI_BASE_URL" not in closed.variables
    assert "key_in_path = true" in closed.notices[0]

    own = {"HOME": "/nowhere", name: "k"}
    told = facts(["any"], own) | {"settings.key_in_path"}
    opened = set_up(programs()["any"], Way(ROOT, HEADERS), own, told, Settings())
    assert opened.variables["GOOGLE_GEMINI_BASE_URL"] == f"{ROOT}/key/{KEY}"
    assert opened.notices == ()
    assert setup("any").notices == ()  # who has no key of Google's is told nothing
