"""What programs' own files say of their logins."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.programs.logins import facts, read_json


def logins(program, environ, *arguments) -> set[str]:
    found = facts([program, *arguments], environ)
    return {fact.removeprefix("login.") for fact in found if fact.startswith("login.")}


@pytest.mark.parametrize(
    ("auth", "environ", "found"),
    [
        (None, {}, set()),
        ("{", {}, set()),
        ({"OPENAI_API_KEY": "k", "tokens": None}, {}, set()),
        ({"OPENAI_API_KEY": "k", "tokens": {"id_token": "t"}}, {}, set()),
        ({"tokens": {"id_token": "t"}}, {}, {"chatgpt", "chatgpt_alone"}),
        ({"tokens": {"id_token": "t"}}, {"OPENAI_API_KEY": "k"}, {"chatgpt"}),
        ({"tokens": {"id_token": "t"}}, {"CODEX_API_KEY": "k"}, {"chatgpt"}),
    ],
)
@pytest.mark.parametrize("variable", ["CODEX_HOME", "HOME"])
def test_a_chatgpt_login_of_codex_is_found(tmp_path, auth, environ, found, variable):
    """In its own folder, wherever that is; an API key goes before it."""
    folder = tmp_path if variable == "CODEX_HOME" else tmp_path / ".codex"
    folder.mkdir(exist_ok=True)
    if auth is not None:
        text = auth if isinstance(auth, str) else json.dumps(auth)
        (folder / "auth.json").write_text(text)

    assert logins("codex", environ | {variable: str(tmp_path)}) == found


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ('model_provider = "local"', {"other_provider"}),
        ('model_provider = "openai"', set()),
        ('openai_base_url = "http://x"', {"other_provider"}),
        ('profile = "b"\n[profiles.b]\nmodel_provider = "c"', {"other_provider"}),
        ('[profiles.b]\nmodel_provider = "c"', set()),
        ('[model_providers.local]\nbase_url = "http://x"', set()),
        ("model_provider = ", set()),
    ],
)
def test_another_provider_of_codex_is_found(tmp_path, config, found):
    """The one that it would ask, not those that are only there."""
    (tmp_path / "config.toml").write_text(config)

    assert logins("codex", {"CODEX_HOME": str(tmp_path)}) == found


@pytest.mark.parametrize("words", [("-p", "b"), ("exec", "--profile=b")])
@pytest.mark.parametrize("file", ["config.toml", "b.config.toml"])
def test_the_profile_of_codexs_arguments_counts(tmp_path, words, file):
    """In the form of today, and in that of before."""
    table = "[profiles.b]\n" if file == "config.toml" else ""
    (tmp_path / file).write_text(f'{table}model_provider = "local"')
    environ = {"CODEX_HOME": str(tmp_path)}

    assert logins("codex", environ, *words) == {"other_provider"}
    assert logins("codex", environ, "-p") == set()


@pytest.mark.parametrize("file", ["settings.json", "settings.local.json"])
@pytest.mark.parametrize("place", ["home", "here/.claude"])
def test_a_server_in_claude_codes_settings_is_found(tmp_path, monkeypatch, place, file):
    """The user's settings and the project's, which go before variables."""
    (tmp_path / "here/.claude").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "home")}
    (tmp_path / place / file).write_text('{"env": {"ANTHROPIC_MODEL": "m"}}')
    assert logins("claude", environ) == set()

    (tmp_path / place / file).write_text('{"env": {"ANTHROPIC_BASE_URL": "http://x"}}')

    assert logins("claude", environ) == {"elsewhere"}


def test_keys_and_own_servers_of_opencode_are_found(tmp_path, monkeypatch):
    """Keys in its data, other logins not; servers in any of its configurations."""
    project = tmp_path / "project" / "deep"
    (tmp_path / "data" / "opencode").mkdir(parents=True)
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    auth = {"anthropic": {"type": "api", "key": "k"}, "openai": {"type": "oauth"}}
    (tmp_path / "data/opencode/auth.json").write_text(json.dumps(auth))
    environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    assert logins("opencode", environ) == {"anthropic"}

    server = '{"provider": {"openai": {"options": {"baseURL": "https://x.test", }}}}'
    (tmp_path / "project/opencode.jsonc").write_text(f"// mine\n{server}")
    environ["OPENCODE_CONFIG_CONTENT"] = server.replace("openai", "groq")

    assert logins("opencode", environ) == {
        "anthropic",
        "openai_elsewhere",
        "groq_elsewhere",
    }


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, {"unchosen"}),
        ({"security": {"auth": {"selectedType": "gemini-api-key"}}}, {"key"}),
        ({"selectedAuthType": "gemini-api-key"}, {"key"}),
        ({"security": {"auth": {"selectedType": "oauth-personal"}}}, set()),
        ({"security": []}, {"unchosen"}),
    ],
)
def test_the_choice_of_gemini_cli_is_found(tmp_path, settings, found):
    """In the form of today, and in that of before."""
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini/settings.json").write_text(json.dumps(settings))

    assert logins("gemini", {"HOME": str(tmp_path)}) == found


def test_a_pipe_in_a_files_place_is_not_waited_for(tmp_path):
    """It says nothing, at once."""
    os.mkfifo(tmp_path / "auth.json")

    assert logins("codex", {"CODEX_HOME": str(tmp_path)}) == set()


def test_variables_are_facts():
    """By name and with their value; empty ones are not set."""
    assert facts(["any"], {"A": "1", "B": ""}) == {"A", "A=1"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON))
def test_json_is_read_as_it_is(value):
    """What looks like a comment or a last comma in a text is none."""
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False, indent=1)) == value


def test_json_with_comments_is_read():
    """As its authors write it; anything else is nothing."""
    text = '{// "a": 0\n"a": "http://x", /* {\n */ "b": [1, 2,], }'

    assert read_json(text) == {"a": "http://x", "b": [1, 2]}
    assert read_json("[1]") == read_json("{") == read_json("[" * 100_000) == {}
