"""The door to one run."""

from datetime import UTC, datetime, timedelta

import pytest

import lectr_lab as lectr
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, tzinfo=UTC)


def request(n, session, **fields):
    plain = {
        "event_id": n.to_bytes(16, "big"),
        "started_at": START + timedelta(minutes=n),
        "org": "acme",
        "path": "/v1/messages",
        "operation": "messages",
        "outcome": "ok",
        "total_ms": 900.0,
        "provider": "anthropic",
        "model_actual": "claude-haiku-4-5-20251001",
        "input_tokens": 1000 * (n + 1),
        "output_tokens": 500,
        "token_source": "provider",
        "session": session,
        "client": "claude-code",
    }
    return Event(**(plain | fields))


@pytest.fixture
def log():
    """Two sessions, one of them of two agents, and a chat without a name."""
    failed = {"outcome": "provider_error", "error_type": "overloaded_error"}
    events = [
        *(request(n, "3829a615") for n in range(6)),
        request(6, "3829a615", turn_kind="subagent", agent="a1"),
        request(7, "3829a615", input_tokens=None, output_tokens=None, **failed),
        *(request(n, "eb022845", feature="fix") for n in range(8, 10)),
        request(20, None, message_count=1, prompt_chars=100, output_chars=50),
        request(21, None, message_count=3, prompt_chars=200, output_chars=50),
    ]
    return priced(frame(events).lazy())


def test_a_run_is_a_picture_and_a_table(log):
    """With what it is called, when it was and how long; the failure by its name."""
    shown = lectr.session(log, "3829a615")._repr_mimebundle_()

    assert "<svg" in shown["text/html"] and "<table>" in shown["text/html"]
    first, head, *rows = shown["text/plain"].splitlines()
    assert first == "3829a615 · claude-code · 2026-11-02 00:00 UTC · 7.0 min"
    assert head.split()[:4] == ["request", "cost", "started", "lane"] and len(rows) == 8
    assert "overloaded_error" in rows[-1]


def test_several_are_shown_together_and_found_by_their_beginnings(log):
    """One picture on one scale, a table each, and one frame of all."""
    run = lectr.session(log, "eb", "3829")

    assert [table.frame.height for table in run.tables()] == [2, 8]
    assert run.frame["session"].unique(maintain_order=True).to_list() == [
        *("eb022845", "3829a615")
    ]
    assert len(run.chart().vconcat) == 2


def test_the_picture_is_written(log, tmp_path):
    """As a PNG; where that cannot be, it is said."""
    run = lectr.session(log, "eb")

    written = run.write(tmp_path / "run.png")

    assert written.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(LabError, match="cannot be written"):
        run.write(tmp_path / "nowhere" / "run.png")


def test_a_guessed_session_is_found_by_its_name(log):
    """As `sessions` named it."""
    guessed = lectr.sessions(log, infer_sessions=True).collect()
    [session] = [one for one in guessed["session"] if one.startswith("inferred-")]

    assert lectr.session(log, session).frame.height == 2


def test_a_session_that_is_not_there_is_told_with_those_that_are_near(log):
    """And none at all asks which."""
    with pytest.raises(LabError, match="nearest: 3829a615"):
        lectr.session(log, "3829a651")
    with pytest.raises(LabError, match="Which session"):
        lectr.session(log)


def test_what_a_plan_covers_is_said(log):
    """The dollars are by list."""
    covered = priced(frame([request(1, "p", credential="plan")]).lazy())

    assert "covered by a plan: dollars by list" in repr(lectr.session(covered, "p"))


def test_names_of_clients_are_escaped():
    """As in every table and chart."""
    odd = "<script>\x1b[31m"
    log = priced(frame([request(1, odd, client=odd, agent=odd)]).lazy())

    shown = lectr.session(log, odd)._repr_mimebundle_()

    assert "<script>" not in shown["text/html"]
    assert "\x1b" not in shown["text/plain"]
