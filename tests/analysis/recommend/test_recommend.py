"""Cheaper models for a log's traffic: what is recommended, and what never is."""

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import lectr_lab
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.token_ratio import with_ratios
from lectr_lab.analysis.recommend import recommend
from lectr_lab.core.model_catalog import known_model, models
from lectr_lab.core.pricing.price import UserPrice, price_event

START = datetime(2026, 11, 2, tzinfo=UTC)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PACKAGE = Path(lectr_lab.__file__).parent
NAMES = ("model_actual", "model_sent", "model_requested")
GPT_4O = dict.fromkeys(NAMES, "gpt-4o-2024-08-06")
SAID = {"has_tools": False, "has_images": False, "has_audio": False}


@pytest.fixture(scope="session")
def traffic_of(event):
    """`n` events with the fields given, spread evenly over some days."""

    def of(n=140, days=14, **fields):
        step = timedelta(days=days) / n
        plain = GPT_4O | SAID | {"feature": "triage", "output_tokens": 12}
        return [
            event(started_at=START + i * step, **(plain | fields)) for i in range(n)
        ]

    return of


@pytest.fixture(scope="session")
def advice(log_of):
    """What is recommended for some events."""
    return lambda events, **asked: recommend(priced(log_of(events)), **asked)


def only(found):
    assert len(found) == 1, repr(found)
    return found[0]


def why(found):
    """The one group's kind of refusal, and the reasons."""
    assert not found.found, repr(found)
    [passed] = found.passed_over
    return passed.kind, " ".join(passed.why)


def test_a_classification_by_gpt_4o_goes_to_mini(traffic_of, advice):
    """With spend, days, requests, a saving with its interval, and reasons."""
    found = only(advice(traffic_of(task="classification"), now=NOW))

    assert (found.from_model, found.to_model) == ("gpt-4o-2024-08-06", "gpt-4o-mini")
    assert (found.confidence, found.requests, found.days) == ("high", 140, 14)
    assert found.spend_usd == pytest.approx(140 * 0.00262)
    a_month = 10 * 30 * (0.00262 - 0.0001572)
    assert found.saving_usd_month == pytest.approx(a_month)
    low, high, confidence = found.saving_interval
    assert low <= found.saving_usd_month <= high and confidence == 0.9
    assert found.evidence is None
    assert "declared as classification" in found.reasons
    assert any("median prompt 1,000 tokens" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    "task, confidence",
    [
        ("classification", "high"),
        ("summarisation", "high"),
        ("extraction", "high"),
        ("generation", "medium"),
        (None, "medium"),
        ("what?", "medium"),
    ],
)
def test_confidence_follows_the_task(task, confidence, traffic_of, advice):
    """The documented table, on short and simple traffic."""
    assert only(advice(traffic_of(task=task), now=NOW)).confidence == confidence


@pytest.mark.parametrize(
    "days, interval", [(3, False), (6, False), (7, True), (14, True)]
)
def test_no_saving_a_month_under_seven_days(days, interval, traffic_of, advice):
    """Neither the figure nor its interval; the recommendation stands."""
    events = traffic_of(n=48 * days, days=days, task="extraction")
    found = only(advice(events, now=NOW))

    assert (found.saving_usd_month is not None) == interval
    assert (found.saving_interval is not None) == interval
    assert found.days == days


def test_a_day_without_traffic_counts_as_none(traffic_of, advice):
    """Seven working days in two weeks, beside traffic of every day."""
    every = traffic_of(n=14 * 24, task="reasoning", feature="other")
    some = [
        e
        for e in traffic_of(n=14 * 24, task="classification")
        if e.started_at.day % 2 == 0
    ]
    found = only(advice(every + some, now=NOW))

    assert found.days == 7
    a_month = 7 / 14 * 24 * 30 * (0.00262 - 0.0001572)
    assert found.saving_usd_month == pytest.approx(a_month, rel=0.15)


def test_six_days_of_traffic_in_two_weeks_are_too_few(traffic_of, advice):
    """The span is long enough; the days on which anything was seen are not."""
    every = traffic_of(n=14 * 24, task="reasoning", feature="other")
    some = [e for e in traffic_of(n=14 * 24, task="extraction") if e.started_at.day < 8]

    assert only(advice(every + some, now=NOW)).saving_usd_month is None


REFUSALS = {
    "dear": ({"model": "gpt-5-nano"}, "no smaller model saves enough", "would cost"),
    "retired": ({"model": "gpt-3.5-turbo"}, "no smaller model fits", "retires on"),
    "images": (
        {"has_images": True, "provider": "groq", "model": "openai/gpt-oss-120b"},
        "no smaller model fits",
        "not known to take images",
    ),
    "audio": ({"has_audio": True}, "no smaller model fits", "take audio"),
    "search": (
        {"web_searches": 1, "provider": "anthropic", "model": "claude-3-7-sonnet"},
        "no smaller model fits",
        "take web search",
    ),
    "long": ({"input_tokens": 950_000}, "no smaller model fits", "prompt of 128,000"),
    "wordy": (
        {"max_output_tokens": 200_000},
        "no smaller model fits",
        "answer of 16,384 tokens",
    ),
    "effort": (
        {"reasoning_effort": "low", "provider": "azure", "model": "o3"},
        "no smaller model fits",
        "reasoning effort",
    ),
    "tier": (
        {"service_tier": "a-tier", "model": "our-own"},
        "no smaller model is known",
        "",
    ),
    "unknown": ({"model": "a-model-of-ours"}, "no smaller model is known", ""),
    "fine-tune": ({"model": "ft:gpt-4o:acme::9"}, "no smaller model is known", ""),
    "smallest": ({"model": "gpt-6-luna"}, "no smaller model is known", ""),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_is_counted_and_said(name, traffic_of, advice):
    """However strong the signal: a declared classification."""
    fields, kind, words = REFUSALS[name]
    if "model" in fields:
        fields = {**fields, **dict.fromkeys(NAMES, fields["model"])}
        fields.pop("model")

    found = advice(traffic_of(task="classification", **fields), now=NOW)

    assert why(found)[0] == kind
    assert words in why(found)[1]
    assert found.notes == (f"{kind}: 1 group, 140 requests",)


def test_traffic_without_a_price_saves_nothing(traffic_of, advice):
    """A tier that nobody knows, and streams that nobody counted: said, not guessed."""
    for fields in (
        {"service_tier": "a-tier-of-nobody"},
        {"input_tokens": None, "output_tokens": None},
    ):
        found = advice(traffic_of(task="classification", **fields), now=NOW)
        assert why(found)[0] == "what it costs is not known"


def test_a_target_without_a_price_for_some_rows_is_refused(traffic_of, advice, log_of):
    """A tier whose price the user has for the present model alone."""
    own = (
        UserPrice(
            model="claude-opus*",
            input_usd_per_mtok=Decimal(5),
            output_usd_per_mtok=Decimal(25),
        ),
    )
    opus = {"provider": "anthropic", **dict.fromkeys(NAMES, "claude-opus-5-5")}
    events = traffic_of(task="classification", service_tier="priority", **opus)

    found = advice(events, now=NOW)
    assert why(found)[0] == "what it costs is not known"

    log = priced(log_of(events), own)
    kind, reasons = why(recommend(log, now=NOW, prices=own))
    assert kind == "no smaller model saves enough"
    assert "has no known price for 140 of the requests" in reasons


def test_a_target_that_reasons_anew_has_no_saving(traffic_of, advice):
    """gpt-4.1-mini's only way left: cheaper at thrice the answer, and no figure."""
    mini = dict.fromkeys(NAMES, "gpt-4.1-mini-2025-04-14")

    found = only(advice(traffic_of(task="classification", **mini), now=NOW))

    assert (found.to_model, found.confidence) == ("gpt-6-luna", "medium")
    assert found.saving_usd_month is None and found.saving_interval is None
    assert any("3 times" in reason for reason in found.reasons)


def test_now_decides_what_is_retired(traffic_of, advice):
    """A month before gpt-4o-mini is shut down, gpt-6-luna takes its place."""
    events = traffic_of(task="classification")

    assert only(advice(events)).to_model == "gpt-4o-mini"
    later = datetime(2026, 12, 20, tzinfo=UTC)
    assert only(advice(events, now=later)).to_model == "gpt-6-luna"


def test_two_orgs_are_apart(traffic_of, advice):
    """Each has its own spend, and `org` looks at one."""
    events = traffic_of(task="classification", org="acme") + traffic_of(
        n=70, task="classification", org="globex"
    )

    both = advice(events, now=NOW)
    one = only(advice(events, now=NOW, org="globex"))

    assert {r.org: r.requests for r in both} == {"acme": 140, "globex": 70}
    assert one == next(r for r in both if r.org == "globex")


def test_the_largest_saving_is_first(traffic_of, advice):
    """Then those without a figure; behind all of them, those that will not last."""
    lasting = dict.fromkeys(NAMES, "gpt-5.4")
    anew = dict.fromkeys(NAMES, "gpt-4.1-mini")
    events = traffic_of(task="classification", feature="small", **lasting)
    for feature, names in (("large", lasting), ("unsaid", anew), ("ends", {})):
        events += traffic_of(n=1400, task="classification", feature=feature, **names)

    found = advice(events, now=NOW)

    assert [r.feature for r in found] == ["large", "small", "unsaid", "ends"]


def test_a_target_that_will_not_last_says_so_first(traffic_of, advice):
    """In the first reason, in the recommendation and in the table."""
    found = advice(traffic_of(task="classification"), now=NOW)

    assert only(found).to_retires_on == date(2027, 1, 14)
    assert only(found).reasons[0].startswith("gpt-4o-mini retires on 2027-01-14")
    assert "gpt-6-luna stays" in only(found).reasons[0]
    assert found.frame()["to_retires_on"].to_list() == [date(2027, 1, 14)]
    assert "2027-01-14" in found.in_short()


def test_a_chain_is_one_recommendation(traffic_of, advice):
    """gpt-4.1 and gpt-4.1-mini at one feature both go where the latter goes."""
    then = datetime(2026, 5, 1, tzinfo=UTC)
    events = []
    for name, feature in (
        ("gpt-4.1", "f"),
        ("gpt-4.1-mini", "f"),
        ("gpt-4.1", "alone"),
    ):
        names = dict.fromkeys(NAMES, name)
        events += traffic_of(task="classification", feature=feature, **names)

    found = {(r.feature, r.from_model): r for r in advice(events, now=then)}

    ends = {key: r.to_model for key, r in found.items()}
    assert ends["f", "gpt-4.1"] == ends["f", "gpt-4.1-mini"] == "gpt-4.1-nano"
    assert ends["alone", "gpt-4.1"] == "gpt-4.1-mini"
    reasons = found["f", "gpt-4.1"].reasons
    assert any("gpt-4.1-mini is the next step down" in reason for reason in reasons)


@pytest.mark.parametrize("kind", ["empty", "one", "failed", "embeddings"])
def test_little_or_nothing_to_judge(kind, event, failed, advice):
    """An empty log, one row, only failures, no chats: no error and no advice."""
    events = {
        "empty": [],
        "one": [event(**GPT_4O)],
        "failed": [failed(**GPT_4O)] * 9,
        "embeddings": [event(operation="embeddings", **GPT_4O)] * 9,
    }[kind]

    found = advice(events)

    assert len(found) == 0 and repr(found)
    assert found.frame().is_empty()


@pytest.mark.parametrize("unsaid", ["operation", "outcome"])
def test_what_an_import_did_not_say_is_asked_for(unsaid, traffic_of, advice):
    """Silence would look like traffic that is fine as it is."""
    found = advice(traffic_of(n=30, **{unsaid: None}))

    assert len(found) == 0
    assert "30 requests do not say what kind of call they were" in repr(found)
    assert "operation==chat and outcome==ok" in repr(found)


def test_untagged_traffic_is_one_group_and_low_at_most(traffic_of, advice):
    """Advice on what may be many features says to tag first."""
    found = only(advice(traffic_of(feature=None), now=NOW))

    assert found.feature is None and found.confidence == "low"
    assert any("tag them first" in reason for reason in found.reasons)


def test_a_log_without_costs_is_priced(traffic_of, log_of):
    """Events as the log holds them will do."""
    assert len(recommend(log_of(traffic_of(task="extraction")), now=NOW)) == 1


def test_the_part_of_a_feature_that_reasons_is_its_own(traffic_of, advice):
    """A declared task beside it stands; what declares nothing is left alone."""
    events = traffic_of(task="reasoning")

    declared = advice(events + traffic_of(task="classification"), now=NOW)
    silent = advice(events + traffic_of(task=None), now=NOW)

    assert only(declared).task == "classification"
    assert len(silent) == 0


# What a client may write for the task, and what else a log may hold.
SPACE = st.sampled_from(["", " ", "\t", "\n", "\u00a0"])
REASONING = st.builds(
    lambda before, word, after: before + word + after,
    SPACE,
    st.sampled_from(["reasoning", "Reasoning", "REASONING", "rEaSoNiNg"]),
    SPACE,
)
TASKS = st.sampled_from(
    [None, "", "classification", "summarisation", "extraction", "generation", "other"]
)
LIVE = [(p, model.name) for model in models() for p in model.providers]


@st.composite
def groups(draw, tasks):
    """The fields that all requests of one group share."""
    provider, model = draw(st.sampled_from(LIVE))
    maybe = st.sampled_from([None, False, True])
    return {
        "org": draw(st.sampled_from(["acme", "globex"])),
        "feature": draw(st.sampled_from([None, "a", "b"])),
        "task": draw(tasks),
        "provider": provider,
        **dict.fromkeys(NAMES, model),
        "input_tokens": draw(st.sampled_from([40, 900, 9_000, 250_000])),
        "output_tokens": draw(st.sampled_from([0, 7, 90, 4_000])),
        "cache_read_tokens": draw(st.sampled_from([None, 0, 30])),
        "reasoning_tokens": draw(st.sampled_from([None, None, 0])),
        "has_tools": draw(maybe),
        "has_images": draw(maybe),
        "has_audio": draw(st.sampled_from([None, False])),
        "response_format": draw(st.sampled_from([None, "json_schema"])),
        "temperature": draw(st.sampled_from([None, 0.0, 1.0])),
        "service_tier": draw(st.sampled_from([None, None, "flex", "batch"])),
    }


NOWS = st.none() | st.datetimes(
    datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)
)
CHEAP = UserPrice(
    model="*", input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(1)
)


# Not shrunk: the guard's own test waits for a failure of this one.
@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(
    protected=st.lists(groups(REASONING), min_size=1, max_size=4),
    others=st.lists(groups(TASKS), max_size=3),
    now=NOWS,
    prices=st.sampled_from([None, (), (CHEAP,)]),
    org=st.sampled_from([None, "acme"]),
)
def test_reasoning_is_never_recommended(
    protected, others, now, prices, org, traffic_of, log_of
):
    """Whatever the log, the time, the prices and the rest of the traffic."""
    simple = {"input_tokens": 300, "output_tokens": 7, "reasoning_tokens": None}
    clear = [
        group | simple | SAID | GPT_4O | {"provider": "openai"} for group in protected
    ]
    events = [
        event
        for group in [*protected, *clear, *others]
        for event in traffic_of(n=26, days=4, **group)
    ]

    found = recommend(priced(log_of(events)), now=now, prices=prices, org=org)

    tasks = [r.task for r in found if r.task is not None]
    assert not [t for t in tasks if t.strip().lower() == "reasoning"]


@settings(max_examples=20)
@given(made=st.lists(groups(TASKS), min_size=1, max_size=5), now=NOWS)
def test_no_target_is_dearer_unpriced_retired_or_less_able(
    made, now, traffic_of, log_of
):
    """Each recommendation, looked at again row by row with the scalar price."""
    events = [e for group in made for e in traffic_of(n=26, days=4, **group)]
    day = (now or max(e.started_at for e in events)).date()

    for r in recommend(priced(log_of(events)), now=now):
        target = known_model(r.provider, r.to_model)
        retired_on = target.retired_on.get(r.provider)
        assert retired_on is None or retired_on > day
        keys = (r.org, r.feature, r.task, r.provider, r.from_model)
        own = [e for e in events if _key(e) == keys]
        assert len(own) == r.requests
        known = [e for e in own if price_event(e) is not None]
        paid = sum(price_event(e) for e in known)
        for as_if in (_as(r.to_model), _as(r.to_model, day)):
            would = [price_event(as_if(e)) for e in known]
            assert None not in would
            assert sum(would) < paid
        assert not any(e.has_images for e in own) or "images" in target.can
        assert not any(e.has_tools for e in own) or "tools" in target.can
        assert max(e.input_tokens for e in own) <= target.context_tokens
        assert max(e.output_tokens for e in own) <= target.max_output_tokens


def _key(e):
    return (e.org, e.feature, e.task, e.provider, e.model_actual)


def _as(model, day=None):
    def changed(e):
        at = e.started_at if day is None else datetime.combine(day, e.started_at.time())
        names = dict.fromkeys(NAMES, model)
        return msgspec.structs.replace(e, **names, started_at=at.replace(tzinfo=UTC))

    return changed


GUARD = '    if is_protected(group["task"]):\n        return None\n'


def test_the_guard_is_what_holds_it(tmp_path):
    """Without its two lines, the test above finds a log that breaks the promise."""
    copy = tmp_path / "lectr_lab"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "analysis" / "recommend" / "recommend.py"
    source = module.read_text("utf-8")
    assert source.count(GUARD) == 1
    module.write_text(source.replace(GUARD, ""), "utf-8")

    wanted = f"{Path(__file__)}::test_reasoning_is_never_recommended"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", wanted],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 1, done.stdout
    assert "assert not ['" in done.stdout
    assert "1 failed" in done.stdout


def test_one_function_makes_every_recommendation():
    """So that one guard is enough; but for a change that the user names, to compare."""
    makers = Counter()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                makers[f"{path.stem}.{node.name}"] += sum(
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and call.func.id == "Recommendation"
                    for call in ast.walk(node)
                )

    ours = {name for name, n in makers.items() if n and name != "evidence.evidence"}
    assert ours == {"recommend._recommendation"}


def test_the_demo_traffic_gets_sensible_advice():
    """Four weeks made up: what an expert would say of them."""
    parts = pl.scan_parquet(PACKAGE.parent / "data" / "demo" / "*.parquet")

    found = recommend(priced(with_ratios(parts)), now=NOW)

    assert {(r.feature, r.to_model, r.confidence) for r in found} == {
        ("report-writer", "gpt-5.4-mini", "high"),
        ("document-qa", "gemini-3.5-flash-lite", "high"),
        ("nightly-enrichment", "gpt-6-luna", "high"),
        ("search-answers", "gpt-6-luna", "medium"),
    }
    assert "coding-agent" not in {r.feature for r in found}


def test_real_traffic_that_declares_nothing(shared, log_of, event):
    """Azure's code and chat of 2023 as if by gpt-4o: short answers alone say little."""
    trace = pl.read_parquet(shared / "datasets/traces/azure_llm_2023.parquet")
    rows = trace.gather_every(10).iter_rows(named=True)
    events = [
        event(
            **GPT_4O,
            started_at=START + (row["timestamp"] - trace["timestamp"][0]),
            feature=row["service"],
            input_tokens=row["prompt_tokens"],
            output_tokens=row["completion_tokens"],
        )
        for row in rows
    ]

    found = recommend(priced(log_of(events)), now=NOW)

    assert only(found).feature == "code"
    assert (found[0].confidence, found[0].saving_usd_month) == ("low", None)
    assert found.passed_over[0].feature == "conv"
