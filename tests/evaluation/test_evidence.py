"""Evidence from recordings."""

import math
import tomllib

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lectr_lab as lectr
from lectr_lab.core.errors import CassetteError


def both(call, answers, **more):
    """Each (present, candidate) as two calls of one prompt."""
    for n, (old, new) in enumerate(answers):
        yield call(f"prompt {n}", old, "big", **more)
        yield call(f"prompt {n}", new, "small", **more)


def test_a_model_that_answers_alike_is_adopted(tape, call, move):
    """With enough prompts, and only then."""
    path = tape(*both(call, [("yes", "Yes.")] * 110))
    told = lectr.evidence(move(), path)

    assert told.evidence.verdict == "adopt"
    assert (told.evidence.measure, told.evidence.against) == ("label", "present_model")
    assert (told.evidence.score_from, told.evidence.score_to) == (1.0, 1.0)
    assert told.recommendation.from_model == "big"
    few = lectr.evidence(move(), tape(*both(call, [("yes", "yes")] * 20)))
    assert few.evidence.verdict == "need_more"
    assert few.evidence.need_pairs == pytest.approx(78, abs=3)


def test_against_labels_both_models_are_scored(tape, call, move):
    """The present model can be wrong too; a prompt without a label is left out."""
    path = tape(*both(call, [("yes", "no"), ("no", "no"), ("no", "yes"), ("x", "x")]))
    labels = {f"prompt {n}": "no" for n in range(3)}
    told = lectr.evidence(move(), path, labels=labels)

    assert told.evidence.against == "labels"
    assert told.evidence.pairs == 3
    assert told.evidence.score_from == told.evidence.score_to == pytest.approx(2 / 3)
    assert told.without_label == 1


def test_what_could_not_be_compared_is_counted(tape, call, move):
    """Not asked, not answered, not judged: each by itself."""
    path = tape(
        call("a", "yes", "big"),
        call("b", "", "big", status=500),
        call("c", " ", "big"),
        call("c", " ", "small"),
        call("d", "yes", "big"),
        call("d", "no", "small"),
    )
    told = lectr.evidence(move(), path)

    counts = (told.not_asked, told.without_answer, told.not_judged, told.evidence.pairs)
    assert counts == (1, 1, 1, 1)
    assert "1: the candidate was not asked" in str(told)


def test_reasoning_is_refused_whatever_the_scores(tape, call, move):
    """By the recommendation's task or the recording's, with labels and perfect scores."""
    path = tape(*both(call, [("yes", "yes")] * 110, task="reasoning"))
    for task in ("reasoning", " Reasoning", None):
        told = lectr.evidence(
            move(task=task), path, measure=lambda present, candidate, label: 1.0
        )
        assert told.evidence.verdict == "refuse"
        assert told.evidence.need_pairs is None
    assert told.evidence.pairs == 110


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    margin=st.floats(0, 0.99),
    confidence=st.floats(0.51, 0.99),
    scores=st.floats(0, 1),
    labelled=st.booleans(),
)
def test_no_setting_moves_reasoning(
    tape, call, move, margin, confidence, scores, labelled
):
    """Margins, confidences, measures and labels: none says adopt."""
    path = tape(*both(call, [("yes", "yes")] * 3, task="reasoning"))
    labels = {f"prompt {n}": "yes" for n in range(3)} if labelled else None
    told = lectr.evidence(
        move(task="reasoning"),
        path,
        margin=margin,
        confidence=confidence,
        labels=labels,
        measure=lambda present, candidate, label: scores,
    )
    assert told.evidence.verdict == "refuse"


def test_a_measure_of_ones_own(tape, call, move):
    """It sees both answers and the label, and scores the present model the same way."""

    def length(present, candidate, label):
        return None if candidate == "skip" else min(1.0, len(candidate) / len(present))

    path = tape(*both(call, [("four", "it"), ("four", "four"), ("four", "skip")]))
    told = lectr.evidence(move(), path, measure=length)

    assert told.evidence.measure == "length"
    assert (told.evidence.score_from, told.evidence.score_to) == (1.0, 0.75)
    assert told.not_judged == 1
    with pytest.raises(ValueError, match="not in"):
        lectr.evidence(move(), path, measure=lambda *_: 2.0)


def test_without_a_pair_nothing_is_claimed(tape, call, move):
    """The interval is the whole scale, and the text shows no score."""
    told = lectr.evidence(move(), tape(call("a", "yes", "big")))

    assert told.evidence.verdict == "need_more"
    assert math.isnan(told.evidence.score_to)
    assert "scores" not in str(told)
    assert msgspec.json.encode(told.recommendation)


def test_the_real_recordings_have_evidence(cassettes, move):
    """Two models on labelled prompts: too few to adopt, enough to see a difference."""
    features = tomllib.loads((cassettes / "prompts.toml").read_text("utf-8"))["feature"]
    made = {f["name"]: f for f in features if "answers" in f}
    models = {"from_model": "gemma-3-270m-q4_k_m", "to_model": "gemma-3-270m-q2_k"}
    for feature, pairs, old, new in (
        ("support-triage", 14, 1.0, 13 / 14),
        ("ticket-fields", 8, 0.7917, 0.4583),
    ):
        one = made[feature]
        asked = move(feature=feature, task=one["task"])
        asked = msgspec.structs.replace(asked, **models)
        labels = dict(zip(one["prompts"], one["answers"], strict=True))
        told = lectr.evidence(asked, cassettes / "llama", labels=labels).evidence
        assert told.pairs == pairs
        assert told.score_from == pytest.approx(old, abs=1e-3)
        assert told.score_to == pytest.approx(new, abs=1e-3)
        assert told.verdict == "need_more"


def test_names_are_escaped_where_they_are_shown(tape, call, move):
    """A feature is what a client sent."""
    path = tape(call("a", "yes", "big", feature="<b>x"))
    told = lectr.evidence(move(feature="<b>x"), path)

    assert "<b>" not in told._repr_html_()
    assert "&lt;b&gt;x" in told._repr_html_()


def test_a_present_model_near_0_raises_a_doubt(tape, call, move):
    """More likely the labels are wrong than every answer."""
    path = tape(*both(call, [("yes", "no")] * 12))
    labels = {f"prompt {n}": "no" for n in range(12)}

    assert "check labels" in str(lectr.evidence(move(), path, labels=labels))


def test_a_missing_tape_is_named(tmp_path, move):
    """As everywhere."""
    with pytest.raises(CassetteError, match="no cassette"):
        lectr.evidence(move(), tmp_path / "none.yaml")


def test_the_guard_is_what_holds_reasoning(tape, call, move, monkeypatch):
    """Taken out, the same evidence says adopt: so the tests above can fail."""
    path = tape(*both(call, [("yes", "yes")] * 110, task="reasoning"))
    monkeypatch.setattr("lectr_lab.evaluation.evidence.is_protected", lambda _: False)
    told = lectr.evidence(move(task="reasoning"), path, measure=lambda *_: 1.0)

    assert told.evidence.verdict == "adopt"


def test_an_answer_that_breaks_its_schema_is_worth_nothing(tape, call, move):
    """Even where most of its fields are right: whoever reads it cannot use it."""
    schema = {"type": "object", "required": ["a", "b"]}
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    old, new = '{"a": 1, "b": 2}', '{"a": 1}'
    path = tape(*both(call, [(old, new)], task="extraction", response_format=form))
    free = tape(*both(call, [(old, new)], task="extraction"), name="free.yaml")

    asked = move(task="extraction")
    assert lectr.evidence(asked, path).evidence.score_to == 0.0
    assert lectr.evidence(asked, free).evidence.score_to == pytest.approx(2 / 3)


def test_sampled_answers_raise_a_doubt(tape, call, move):
    """At a temperature no model agrees with itself; against labels that is no matter."""
    path = tape(*both(call, [("yes", "yes")], temperature=0.7))

    assert "would not repeat" in str(lectr.evidence(move(), path))
    labelled = lectr.evidence(move(), path, labels={"prompt 0": "yes"})
    assert "would not repeat" not in str(labelled)
