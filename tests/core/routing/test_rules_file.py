"""A rules file is followed to the letter, or refused with rule, line and field."""

import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import ConfigError
from lectr_lab.core.registry import registry
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget
from lectr_lab.core.routing.rules_file import read_rules

GOOD = """\
[[rules]]
name = "second"
priority = 2
enabled = false
then = { provider = "groq", model = "llama-3.1-8b-instant" }

[[rules]]
name = "first"
priority = 1
[rules.when]
feature = "faq"
task = "classification"
provider = "openai"
model = "gpt-4*"
[rules.then]
model = "gpt-4o-mini"
"""
RULE = '[[rules]]\nname = "a"\npriority = 1\nthen = { model = "m" }\n'


def test_a_file_is_read_in_the_order_of_evaluation():
    """Both ways of writing a table; what is not said is a default."""
    first, second = read_rules(GOOD)

    assert first == Rule(
        name="first",
        priority=1,
        when=Conditions(
            feature="faq", task="classification", provider="openai", model="gpt-4*"
        ),
        then=RuleTarget(model="gpt-4o-mini"),
    )
    assert (second.name, second.enabled, second.when) == ("second", False, Conditions())


def test_no_text_is_no_rules():
    """And so is a file of comments."""
    assert read_rules("") == read_rules("# none yet\n") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rules]\n", "line 1"),
        (RULE.replace("priority", "prority"), "rules.toml, line 3: rule 'a'"),
        (RULE + RULE, "rules.toml, line 6: rule 'a': name: another rule has it"),
        (RULE.replace('"m"', "7"), "line 4: rule 'a': then.model: expected `str"),
        (RULE.replace("priority = 1", ""), "rule 'a': object missing required"),
        (RULE.replace('"a"', "7"), "line 2: rule number 1: name"),
        (RULE.replace("1", "0"), "line 3: rule 'a': priority: write a whole number"),
        (RULE.replace('{ model = "m" }', "{}"), "line 4: rule 'a': then: say a model"),
        (RULE.replace('"m"', '"m*"'), "line 4: rule 'a': model: a target is one"),
        (RULE.replace('"m"', '" "'), "line 4: rule 'a': model: write a text"),
        (RULE + 'when = { feature = "" }', "line 5: rule 'a': feature: write a text"),
        (RULE + 'when = { provider = "Groq" }', "line 5: rule 'a': when.provider"),
        (
            RULE.replace("{", '{ provider = "x",'),
            "line 4: rule 'a': then.provider: there is no provider 'x'; the providers",
        ),
        (
            RULE + "[rules.when]\nmodle = 1",
            "line 6: rule 'a': when: there is no setting",
        ),
        (RULE.replace('"a"', '"a\\u0000b"'), "line 2: rule 'a\\x00b': name"),
        (RULE.replace('"a"', f'"{"a" * 101}"'), "at most 100 characters"),
        ("rules = 3", "rules.toml, line 1"),
        ("[rules]\nname = 3", "rules.toml, line 1"),
        ("[[rule]]\nname = 3", "there is no setting 'rule'"),
        ('rules = [{ name = "a", priority = 1 }]', "rules.toml: rule 'a'"),
    ],
)
def test_what_cannot_be_followed_says_where(text, said):
    """Which rule, which line, which field."""
    with pytest.raises(ConfigError) as raised:
        read_rules(text, providers=registry())

    assert said in str(raised.value)


@given(st.text(alphabet='[]rules{}="\n #.,then when model = 1a*', max_size=80))
def test_any_text_gives_rules_or_a_config_error(text):
    """No other exception reaches whoever reloads the file."""
    try:
        rules = read_rules(text)
    except ConfigError:
        return
    assert all(isinstance(rule, Rule) for rule in rules)


def test_what_was_read_says_the_same_again():
    """A rule loses nothing on the way through the file's form."""
    data = tomllib.loads(GOOD)["rules"]

    assert {r.name: r for r in read_rules(GOOD)} == {
        row["name"]: msgspec.convert(row, Rule) for row in data
    }
