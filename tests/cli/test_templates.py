"""What `init` writes is read, as it is and with its comments taken off."""

import re

import pytest

from lectr_lab.cli.templates import RULES, SETTINGS, write_rules
from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.routing.rules_file import read_rules


def uncommented(text: str) -> str:
    """Every example taken at its word."""
    return re.sub(r"(?m)^# (?=\[\[|\w+ = [\"{\d])", "", text)


def test_the_rules_are_none_until_the_comments_are_taken_off():
    """And then they are rules."""
    assert read_rules(RULES) == ()
    names = [rule.name for rule in read_rules(uncommented(RULES))]
    assert names == ["faq-to-mini", "drafts-to-groq"]


def test_the_settings_are_the_defaults(tmp_path):
    """As the file says of itself."""
    path = tmp_path / "lectr.toml"
    path.write_text(SETTINGS)

    settings = read_settings(path, {})

    assert (settings.host, settings.port) == ("127.0.0.1", 8484)
    assert settings.rules == str(tmp_path / "rules.toml")
    key = 'operator_key_env = "GROQ_API_KEY"'
    path.write_text(SETTINGS.replace("# [prov", "[prov").replace(f"# {key}", key))
    assert read_settings(path, {}).operator_key_env("any", "groq") == "GROQ_API_KEY"


def test_rules_that_are_there_stay(tmp_path):
    """Nobody's work is overwritten; a folder that is not there is said."""
    (tmp_path / "rules.toml").write_text("# mine")

    write_rules(tmp_path)

    assert (tmp_path / "rules.toml").read_text() == "# mine"
    with pytest.raises(ConfigError, match="cannot be written"):
        write_rules(tmp_path / "nowhere")
