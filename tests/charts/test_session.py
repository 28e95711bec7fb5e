"""One run of an agent, drawn."""

import re
from datetime import timedelta

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.turns import turns
from lectr_lab.charts.session import session_turns
from lectr_lab.core.errors import LabError

BAR, MARK = 'aria-roledescription="bar"', 'aria-roledescription="point"'


@pytest.fixture
def texts(drawn):
    """The words on it, a line each: a subtitle of several lines has parts."""
    return lambda chart: "\n".join(
        re.findall(r">([^<]+)</t(?:ext|span)>", drawn(chart))
    )


@pytest.fixture
def run(noon):
    """A run of so many requests: made up, as `turns` gives them."""

    def of(n, failed=(), compacted=(), agents=1, usd=0.25):
        i = pl.int_range(1, n + 1, eager=True, dtype=pl.UInt32).alias("request")
        r = pl.col("request")
        is_failed = r.is_in(list(failed))
        kind = pl.when(r.is_in(list(compacted))).then(pl.lit("compaction"))
        known = pl.when(~is_failed)
        agent = pl.when(r % 10 < agents).then(r % 10)
        lane = pl.when(agent > 0).then(pl.format("agent-{}", agent))
        return i.to_frame().select(
            "request",
            started_at=pl.lit(noon) + pl.duration(seconds=r),
            lane=lane.otherwise(pl.lit("main")),
            turn_kind=kind.otherwise(pl.lit("main")),
            fresh_input_tokens=known.then(3),
            cache_write_tokens=known.then(500),
            cache_read_tokens=known.then(100 * r.cast(pl.Int64)),
            output_tokens=known.then(80),
            cost_usd=known.then(usd),
            spent_usd=known.then(usd).fill_null(0.0).cum_sum(),
            outcome=pl.when(is_failed).then(pl.lit("timeout")).otherwise(pl.lit("ok")),
            failed=is_failed,
        )

    return of


@pytest.mark.parametrize("n", [1, 5, 60, 500])
def test_each_request_is_a_stack_of_its_tokens(run, drawn, n):
    """Four kinds, whatever the length; the last figure of the line is the sum."""
    svg = drawn(session_turns(run(n)))

    assert svg.count(BAR) == 4 * n
    assert f"in {n} request{'' if n == 1 else 's'}" in svg


def test_a_run_without_an_end_is_drawn_in_as_many_bars_as_can_be_seen(
    run, drawn, texts
):
    """Each the mean of several; the axis keeps the numbers of requests."""
    chart = session_turns(run(6000, failed=range(7, 6000, 50)))

    assert drawn(chart).count(BAR) <= 4 * 500
    assert "tokens of 12 requests, their mean" in texts(chart)
    assert "6000" in texts(chart)


def test_no_request_at_all_is_drawn(run, texts):
    """An empty frame is an empty picture."""
    assert "No request in this session" in texts(session_turns(run(0)))


def test_failures_and_compactions_are_marked_and_explained(run, texts, drawn):
    """And only where there are any."""
    plain, marked = (
        session_turns(run(9)),
        session_turns(run(9, failed=[3, 8], compacted=[5])),
    )

    assert "crosses: 2 failed" in texts(marked) and "dashed: compacted" in texts(marked)
    assert "crosses" not in texts(plain) and "dashed" not in texts(plain)
    assert drawn(marked).count(MARK) == drawn(plain).count(MARK) + 2
    assert drawn(marked).count("stroke-dasharray") == 1


def test_agents_have_lanes_and_many_share_one(run, texts):
    """The main one on top; no more lanes than can be read."""
    few, many = (
        texts(session_turns(run(60, agents=3))),
        texts(session_turns(run(60, agents=10))),
    )

    assert all(lane in few.splitlines() for lane in ("main", "agent-1", "agent-2"))
    assert "all others (3)" in many.splitlines()


def test_two_runs_are_on_one_scale(run, drawn):
    """A short one beside a long one is short, and as low as it was cheap."""
    both = session_turns(run(60), run(5, usd=0.01), titles=["long", "short"]).to_dict()
    alone = session_turns(run(5, usd=0.01)).to_dict()

    def domains(chart, at):
        return re.findall(r"'domain': \[0[^]]*\]", str(chart["vconcat"][at]))

    assert domains(both, 0) == domains(both, 1) != domains(alone, 0)


@pytest.mark.parametrize("width", [260, 640, 1200])
def test_nothing_of_it_is_cut_at_any_width(run, texts, width):
    """Lines of words are folded; no text ends in dots."""
    title = "a session of a very long name · claude-code · 2026-11-01 12:00 UTC · 3.2 h"
    chart = session_turns(
        run(40, failed=[3], compacted=[9]), titles=[title], width=width
    )

    said = texts(chart)
    assert "…" not in said
    assert title in " ".join(said.splitlines()) and "compacted" in said


def test_hostile_names_are_text(run, drawn):
    """An agent's id and a session's are what a client sent."""
    frame = run(4).with_columns(lane=pl.lit("</text><script>alert(1)</script>"))

    svg = drawn(session_turns(frame, titles=["<script>"]))

    assert "<script>" not in svg


def test_it_shows_itself_in_a_cell_without_a_script(run):
    """As a picture in the colours of the text around."""
    shown = session_turns(run(5))._repr_mimebundle_()

    assert "<svg" in shown["text/html"] and "<script" not in shown["text/html"]
    assert "currentColor" in shown["text/html"]


def test_what_is_no_run_is_refused(run):
    """With what it takes."""
    for wrong in ([], [pl.DataFrame({"requests": [1]})]):
        with pytest.raises(LabError, match="takes what the view `turns` gives"):
            session_turns(*wrong)


def test_an_unknown_cost_is_said_and_not_drawn_as_nothing(run, texts):
    """All of it, or so many requests of it."""
    unknown = run(4).with_columns(cost_usd=pl.lit(None, pl.Float64))
    some = run(4).with_columns(
        cost_usd=pl.when(pl.col("request") > 1).then(pl.col("cost_usd"))
    )

    assert "Unknown cost in 4 requests" in texts(session_turns(unknown))
    assert "(1 of unknown cost)" in texts(session_turns(some))


def test_it_is_drawn_of_a_real_view(noon):
    """Every column that it needs is one that `turns` gives."""
    from lectr_lab.core.event import Event
    from lectr_lab.log.schema import frame

    events = [
        Event(
            event_id=bytes(16),
            started_at=noon + timedelta(seconds=n),
            org="a",
            session="s",
            path="/v1/messages",
            operation="messages",
            outcome="ok",
            total_ms=10.0,
        )
        for n in range(3)
    ]

    chart = session_turns(turns(priced(frame(events).lazy()), "s").collect())

    assert chart.vconcat[0].vconcat[0].title.text == "Unknown cost in 3 requests"
