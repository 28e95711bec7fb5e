"""Recommendations as rules: what they match, what they leave alone, and their text."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.recommend.as_rules import rules_of, rules_text, write_rules
from lectr_lab.analysis.recommend.result import PassedOver, Recommendations
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.recommendation import Recommendation
from lectr_lab.core.routing.rules import RuleInput, decide
from lectr_lab.core.routing.rules_check import check_rules
from lectr_lab.core.routing.rules_file import read_rules

ONE = Recommendation(
    org="acme",
    feature="triage",
    task="classification",
    provider="openai",
    from_model="gpt-4o-2024-08-06",
    to_model="gpt-4o-mini",
    confidence="high",
    reasons=("declared as classification",),
    requests=1200,
    days=14,
    spend_usd=30.0,
    saving_usd_month=20.0,
    asked_for=("gpt-4o",),
)
texts = st.text(max_size=20)
advice = st.builds(
    Recommendation,
    org=texts,
    feature=st.none() | texts,
    task=st.none() | texts | st.sampled_from(["reasoning", "classification"]),
    provider=st.sampled_from(["openai", "anthropic"]),
    from_model=texts,
    to_model=texts,
    confidence=st.just("low"),
    reasons=st.just(()),
    requests=st.just(1),
    days=st.just(1),
    spend_usd=st.just(1.0),
    asked_for=st.lists(texts, max_size=3).map(tuple),
)


def one(**fields):
    return msgspec.structs.replace(ONE, **fields)


def goes(rules, feature="triage", task="classification", model="gpt-4o"):
    return decide(rules, RuleInput(feature, task, "openai", model)).model


def test_a_rule_names_what_clients_write():
    """Not the dated name that answered, which no request has."""
    rules = rules_of([ONE])

    assert goes(rules) == "gpt-4o-mini"
    assert goes(rules, model="gpt-4o-2024-08-06") == "gpt-4o-2024-08-06"
    assert goes(rules, feature="other") == goes(rules, task=None) == "gpt-4o"


def test_where_no_client_named_a_model_the_one_that_answered_is_named():
    """Of an imported log, which says no more."""
    assert (
        goes(rules_of([one(asked_for=())]), model="gpt-4o-2024-08-06") == "gpt-4o-mini"
    )


def test_a_rule_without_a_task_leaves_reasoning_and_what_was_passed_over():
    """What is recommended for requests of no task holds for those alone."""
    passed = PassedOver(
        org="acme",
        feature="triage",
        task="generation",
        provider="openai",
        model="gpt-4o",
        requests=9,
        kind="",
        why=(),
        asked_for=("gpt-4o",),
    )
    rules = Recommendations((one(task=None),), (passed,)).as_rules()

    assert goes(rules, task=None) == goes(rules, task="extraction") == "gpt-4o-mini"
    assert goes(rules, task="reasoning") == goes(rules, task="generation") == "gpt-4o"


def test_a_task_of_its_own_comes_before_no_task():
    """Whatever saves more."""
    rules = rules_of([one(task=None), one(to_model="gpt-4.1-nano")])

    assert goes(rules) == "gpt-4.1-nano"
    assert goes(rules, task=None) == "gpt-4o-mini"


def test_the_same_requests_have_one_rule():
    """Two snapshots of one name: what saves more counts."""
    rules = rules_of(
        [ONE, one(from_model="gpt-4o-2024-05-13", to_model="gpt-4.1-nano")]
    )

    assert [rule.then.model for rule in rules] == ["gpt-4o-mini"]


def test_untagged_requests_are_named_as_such():
    """A rule says `untagged`."""
    rules = rules_of([one(feature=None)])

    assert goes(rules, feature=None) == "gpt-4o-mini"
    assert goes(rules) == "gpt-4o"


def test_names_that_a_rule_cannot_say_have_none():
    """A star would take along other names."""
    assert rules_of([one(feature="triage*")]) == rules_of([one(feature=" a")]) == ()
    assert rules_of([one(asked_for=("gpt-4*", "gpt-4"))])[0].when.model == "gpt-4"


def test_rules_of_ours_give_no_warning_of_reasoning():
    """`rules check` has nothing to say of what was written here."""
    rules = rules_of([ONE, one(task=None, feature="other")])

    assert check_rules(rules, ()) == ()


@given(found=st.lists(advice, max_size=6), task=st.sampled_from(["reasoning", None]))
def test_the_text_says_what_the_rules_say(found, task):
    """Whatever the names are: the file is read as the very rules, and none of them
    changes a request that is declared as reasoning."""
    rules = rules_of(found)

    assert read_rules(rules_text(found)) == rules
    for one in found:
        for model in (*one.asked_for, one.from_model):
            asked = RuleInput(one.feature, "reasoning", one.provider, model)
            assert decide(rules, asked).model == model


def test_a_file_without_a_rule_is_added_to(tmp_path):
    """As `init` writes it: its comments stay."""
    path = tmp_path / "rules.toml"
    path.write_text("# mine\n")

    text = Recommendations((ONE,)).rules(path)

    assert path.read_text() == f"# mine\n\n{text}"
    assert read_rules(path.read_text()) == rules_of([ONE])


def test_a_file_with_rules_is_not_replaced_unasked(tmp_path):
    """The sentence says how; then it is."""
    path = tmp_path / "rules.toml"
    Recommendations((ONE,)).rules(path)
    path.chmod(0o640)
    before = path.read_text()

    with pytest.raises(ConfigError, match=r"has a rule already.*overwrite"):
        Recommendations((one(feature="b"),)).rules(path)
    assert path.read_text() == before
    Recommendations((one(feature="b"),)).rules(str(path), overwrite=True)

    assert [rule.when.feature for rule in read_rules(path.read_text())] == ["b"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_nothing_to_write_is_said(tmp_path):
    """No file of no rule; nor in a folder that is not there."""
    with pytest.raises(ConfigError, match="no rule to write"):
        write_rules(tmp_path / "rules.toml", rules_text([]))
    with pytest.raises(ConfigError, match="cannot be written"):
        Recommendations((ONE,)).rules(tmp_path / "none" / "rules.toml")
    assert list(tmp_path.iterdir()) == []
