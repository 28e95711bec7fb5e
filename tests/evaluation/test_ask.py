"""The candidate is asked, and its answers recorded."""

import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.evaluation.ask import answers_path, ask, estimate, where
from lectr_lab.evaluation.pairs import find_pairs
from lectr_lab.tape.cassette import read_cassettes

KEY = "sk-test-0123456789abcdef"


def prompts_of(*paths):
    """The prompts of `big` that `small` has not answered."""
    models = {"from_model": "big", "to_model": "small"}
    found = find_pairs(read_cassettes(paths), feature="triage", task=None, **models)
    return [p for p in found.prompts if p.candidate is None]


def test_answers_are_recorded_once_and_without_the_key(tape, call, provider):
    """The same body but for the model, whose it is beside it; the rest is asked later."""
    path = tape(*[call(f"p{n}", "yes", "big", temperature=0.5) for n in range(5)])
    there = where(
        "small", Settings(), {"K": KEY}, upstream=provider.base_url, key_env="K"
    )
    out = answers_path(path, "small")
    first = ask(prompts_of(path)[:2], "small", there, Settings(), out)
    rest = prompts_of(path, out)
    second = ask(rest, "small", there, Settings(), out)

    assert (first.answered, second.answered, second.stopped) == (2, 3, False)
    assert prompts_of(path, out) == []
    assert len(provider.asked) == len(read_cassettes(out)) == 5
    sent_to, headers, body = provider.asked[0]
    assert sent_to == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"]) == ("small", 0.5)
    assert read_cassettes(out)[0].timing.feature == "triage"
    written = out.read_bytes() + out.with_suffix(".side.json").read_bytes()
    assert KEY.encode() not in written
    assert KEY not in repr(there)


def test_an_interrupt_keeps_what_was_answered(tape, call, provider):
    """And goes on to whoever pressed Ctrl-C."""
    path = tape(*[call(f"p{n}", "yes", "big") for n in range(5)])
    there = where("small", Settings(), {}, upstream=provider.base_url)
    out, done = answers_path(path, "small"), []

    def stop():
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(prompts_of(path), "small", there, Settings(), out, stop)
    assert len(prompts_of(path, out)) == 2
    assert "authorization" not in provider.asked[0][1]


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (500, 3)])
def test_it_stops_where_it_is_hopeless(tape, call, provider, status, calls):
    """At once without a right key; after three failures in a row else."""
    path = tape(*[call(f"p{n}", "yes", "big") for n in range(5)])
    there = where("small", Settings(), {}, upstream=provider.base_url)
    provider.status = status
    out = answers_path(path, "small")
    told = ask(prompts_of(path), "small", there, Settings(), out)

    assert (told.answered, told.faults, told.stopped) == (
        0,
        {f"status {status}": calls},
        True,
    )
    provider.status = 200
    assert ask(prompts_of(path, out), "small", there, Settings(), out).answered == 5
    assert all(one.status == 200 for one in read_cassettes(out))


def test_no_server_is_a_failure_that_says_so(tape, call):
    """Three tries, and no traceback."""
    path = tape(*[call(f"p{n}", "yes", "big") for n in range(5)])
    there = where("small", Settings(), {}, upstream="http://127.0.0.1:9/v1")
    told = ask(
        prompts_of(path), "small", there, Settings(), answers_path(path, "small")
    )

    assert told.faults == {"no connection to the provider": 3}


def test_the_estimate_is_the_tokens_times_the_price(tape, call):
    """100 tokens in and 10 out a call, at 0.15 and 0.60 USD a million."""
    prompts = prompts_of(tape(*[call(f"p{n}", "yes", "big") for n in range(4)]))

    plan = estimate(prompts, "gpt-4o-mini", "openai")
    assert (plan.calls, plan.input_tokens, plan.output_tokens) == (4, 400, 40)
    assert plan.usd == pytest.approx(4 * (100 * 0.15 + 10 * 0.60) / 1e6)
    assert estimate(prompts, "nobody's", "openai").usd is None


def test_whose_model_and_which_key(monkeypatch):
    """The provider's own variable, or the one named; nothing is guessed."""
    there = where("gpt-4o-mini", Settings(), {"OPENAI_API_KEY": KEY})
    assert (there.target.provider, there.address.auth) == ("openai", "bearer")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        where("gpt-4o-mini", Settings(), {"OTHER": KEY})
    with pytest.raises(ConfigError, match="--upstream"):
        where("my-own", Settings(), {"OPENAI_API_KEY": KEY})
    with pytest.raises(ConfigError, match="unencrypted"):
        where("m", Settings(), {"K": KEY}, upstream="http://10.0.0.1/v1", key_env="K")
    with pytest.raises(ConfigError, match="--key-env takes the name"):
        where("gpt-4o-mini", Settings(), {}, key_env="sk-proj-0a1b")
    local = Settings(upstream="http://127.0.0.1:8080/v1")
    assert where("gpt-4o-mini", local, {"OPENAI_API_KEY": KEY}).key is None
