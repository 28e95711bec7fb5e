"""Pairs of answers in recordings."""

from lectr_lab.evaluation.pairs import find_pairs, present_model
from lectr_lab.tape.cassette import read_cassettes


def found(path, feature="triage", task=None):
    """The pairs of `big` and `small`."""
    models = {"from_model": "big", "to_model": "small"}
    return find_pairs(read_cassettes(path), feature=feature, task=task, **models)


def test_the_same_prompt_of_two_models_is_a_pair(tape, call):
    """Whatever is equal but the model; the candidate's feature does not count."""
    path = tape(
        call("a", "yes", "big"),
        call("b", "no", "big"),
        call("a", "perhaps", "small", feature="elsewhere"),
        call("b", "no", "small", temperature=0.5),
        call("c", "no", "big", feature="other"),
    )
    pairs = found(path)

    assert [(p.text, p.present, p.candidate) for p in pairs.prompts] == [
        ("a", "yes", "perhaps"),
        ("b", "no", None),
    ]
    assert pairs.prompts[0].facts.input_tokens == 100
    assert "yes" not in repr(pairs)


def test_streaming_makes_no_other_prompt(tape, call):
    """Nor does asking for usage."""
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    path = tape(call("a", "yes", "big", **streamed), call("a", "no", "small"))

    assert found(path).prompts[0].candidate == "no"


def test_a_repeated_prompt_counts_once(tape, call):
    """The first answer, and not the error before it."""
    path = tape(
        call("a", "", "big", status=500),
        call("a", "yes", "big"),
        call("a", "no", "big"),
        call("b", "", "big", status=429),
    )
    pairs = found(path)

    assert [p.present for p in pairs.prompts] == ["yes"]
    assert pairs.without_answer == 1


def test_the_task_can_be_asked_for(tape, call):
    """And without a side file a recording is of any feature."""
    path = tape(call("a", "yes", "big"), call("b", "yes", "big", task="extraction"))

    assert len(found(path).prompts) == 2
    assert [p.text for p in found(path, task="extraction").prompts] == ["b"]
    path.with_suffix(".side.json").unlink()
    assert len(found(path, feature="whatever").prompts) == 2


def test_the_present_model_is_the_one_most_asked(tape, call):
    """The candidate itself is not, nor a name that nobody answers to."""
    path = tape(
        call("a", "yes", "big"),
        call("b", "yes", "big"),
        call("c", "yes", "rare"),
        *[call(str(n), "yes", "small") for n in range(9)],
        *[call(str(n), "", "misspelt", status=404) for n in range(9)],
    )
    recordings = read_cassettes(path)

    assert present_model(recordings, "triage", None, "small") == "big"
    assert present_model(recordings, "none", None, "small") is None


def test_real_recordings_pair(cassettes):
    """Two labelled features, and streams, of two real models."""
    recordings = read_cassettes(cassettes / "llama")
    models = {"from_model": "gemma-3-270m-q4_k_m", "to_model": "gemma-3-270m-q2_k"}
    features = {"support-triage": 14, "ticket-fields": 8, "onboarding-assistant": 10}
    for feature, pairs in features.items():
        prompts = find_pairs(recordings, feature=feature, task=None, **models).prompts
        assert sum(p.candidate is not None for p in prompts) == pairs
