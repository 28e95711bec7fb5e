"""`[watch]` in lectr.toml."""

import pytest

from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import ConfigError

WHOLE = """
[watch]
every_s = 30
file = "odd.jsonl"
command = ["notify-send", "odd"]
[watch.webhook]
url_env = "SLACK_WEBHOOK_URL"
form = "slack"
"""


def test_it_says_who_is_told(tmp_path):
    """Its file lies beside lectr.toml; without the section nobody watches."""
    (tmp_path / "lectr.toml").write_text(WHOLE)

    watch = read_settings(tmp_path / "lectr.toml", {}).watch

    assert watch.file == str(tmp_path / "odd.jsonl")
    assert watch.command == ("notify-send", "odd")
    assert watch.webhook.url_env == "SLACK_WEBHOOK_URL"
    assert read_settings(None, {}).watch is None


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("every_s = 0", "every_s"),
        ("budget = 0", "budget"),
        ("command_timeout_s = 0", "command_timeout_s"),
        ('by = " "', "by"),
        ('command = [""]', "command"),
        ('[watch.webhook]\nurl_env = "X"\nform = "pigeon"', "form"),
        ('[watch.webhook]\nurl_env = "https://x.example"', "url_env"),
        ('[watch.webhook]\nurl_env = "X"\nsecret_env = "a b"', "secret_env"),
    ],
)
def test_what_cannot_be_followed_is_named(tmp_path, line, named):
    """The field, and what to write; an address in the file is none."""
    (tmp_path / "lectr.toml").write_text(f"[watch]\n{line}\n")

    with pytest.raises(ConfigError, match=named):
        read_settings(tmp_path / "lectr.toml", {})
