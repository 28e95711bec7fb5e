"""`lectr-lab rules`, as a shell calls it."""

import pytest

from lectr_lab.cli.rules import check, explain, list_rules
from lectr_lab.core.errors import ConfigError

RULES = """
[[rules]]
name = "off"
priority = 1
enabled = false
then = { model = "gpt-4o-nano" }

[[rules]]
name = "faq"
priority = 1
when = { feature = "faq", task = "classification", model = "gpt-4o-mini" }
then = { model = "gpt-4o" }

[[rules]]
name = "drafts"
priority = 2
when = { feature = "\\u001b[31m" }
then = { provider = "groq", model = "llama-3.1-8b-instant" }

[[rules]]
name = "rest"
priority = 3
then = { model = "gpt-4o-mini" }
"""
CONFIG = '[providers.groq]\noperator_key_env = "GROQ_KEY_OF_THIS_TEST"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with rules, where the shell is."""
    (tmp_path / "rules.toml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rules_are_listed_in_the_order_they_are_tried(folder, capsys):
    """What is not printable is escaped: a terminal obeys some of it."""
    list_rules()

    lines = capsys.readouterr().out.splitlines()
    assert [
        line.split()[1].rstrip(":") for line in lines
    ] == "off faq drafts rest".split()
    assert lines[0].endswith("every request → 'gpt-4o-nano'  (disabled)")
    assert lines[2].endswith("feature '\\x1b[31m' → 'llama-3.1-8b-instant' of groq")


def test_check_says_what_to_look_at_again(folder, capsys):
    """Dearer by list price, without a key, for everything."""
    (folder / "lectr.toml").write_text(CONFIG)

    check()

    out = capsys.readouterr().out
    assert "faq: gpt-4o is dearer than gpt-4o-mini at list prices" in out
    assert "drafts: there is no operator's key for groq" in out
    assert "GROQ_KEY_OF_THIS_TEST is not set here" in out
    assert "rest: it matches every request" in out
    assert out.splitlines()[-1].endswith("rules.toml: 3 in force, 1 disabled.")


def test_check_of_a_broken_file_is_an_error(folder):
    """Which a shell sees as exit code 2."""
    (folder / "rules.toml").write_text(RULES + "[[rules]]\nname = 'x'")

    with pytest.raises(ConfigError, match=r"rules.toml, line \d+: rule 'x'"):
        check()


def test_no_file_says_how_to_begin(folder):
    """As every error here."""
    (folder / "rules.toml").unlink()

    with pytest.raises(ConfigError, match="lectr-lab init"):
        list_rules()


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        (
            {"model": "gpt-4o-mini", "feature": "faq", "task": "Classification"},
            ["off: is disabled", "faq: matches", "→ gpt-4o of openai, by faq"],
        ),
        (
            {"model": "gpt-4o"},
            [
                "off: is disabled",
                "faq: wants the task 'classification', and it is 'none'",
                "drafts: wants the feature '\\x1b[31m', and it is 'untagged'",
                "rest: matches",
                "→ gpt-4o-mini of openai, by rest",
            ],
        ),
        (
            {"model": "gpt-4o", "feature": "\x1b[31m"},
            [
                "off: is disabled",
                "faq: wants the task 'classification', and it is 'none'",
                "drafts: matches, but there is no operator's key for its provider",
                "→ gpt-4o of openai, unchanged",
            ],
        ),
    ],
)
def test_explain_goes_through_the_rules_up_to_the_one_that_decides(
    folder, capsys, asked, lines
):
    """Why not each before it, and where the request goes."""
    explain(**asked)

    shown = capsys.readouterr().out.splitlines()
    assert [line.lstrip(" 0123456789") for line in shown] == lines


def test_explain_knows_the_providers(folder, capsys):
    """One that there is takes the request; of another it says which there are."""
    explain(model="gpt-4o-mini", provider="azure")
    assert capsys.readouterr().out.endswith("→ gpt-4o-mini of azure, unchanged\n")

    with pytest.raises(ConfigError, match="--provider: there is no provider 'bedrock'"):
        explain(model="gpt-4o", provider="bedrock")


def test_explain_knows_the_operators_keys(folder, capsys, monkeypatch):
    """By the variable that lectr.toml names, and does not show what it holds."""
    (folder / "lectr.toml").write_text(CONFIG)
    monkeypatch.setenv("GROQ_KEY_OF_THIS_TEST", "gsk_secret")

    explain(model="gpt-4o", feature="\x1b[31m")

    out = capsys.readouterr().out
    assert out.endswith("→ llama-3.1-8b-instant of groq, by drafts\n")
    assert "gsk_secret" not in out
