"""`lectr-lab sessions`, on a lab folder as the proxy leaves it."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.cli.sessions import sessions
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import frame

IDS = ["3829a615-a6b6-4507-885b-8be6343f8275", "eb022845-160c-49e1-a6d6-d283f38a0d18"]
NASTY = '=HYPERLINK("http://x")\x1b[31m\n'


def a_request(n: int, session: str | None, **fields) -> Event:
    plain = {
        "event_id": n.to_bytes(16, "big"),
        "started_at": datetime.now(UTC) - timedelta(hours=n),
        "org": "acme",
        "path": "/v1/messages",
        "operation": "messages",
        "outcome": "ok",
        "total_ms": 100.0,
        "provider": "anthropic",
        "model_actual": "claude-haiku-4-5-20251001",
        "input_tokens": 1000 * (n + 1),
        "output_tokens": 500,
        "token_source": "provider",
        "session": session,
    }
    return Event(**(plain | fields))


@pytest.fixture
def lab(tmp_path):
    """Three sessions, one of them named by an enemy, and a request without any."""
    lab = LabFolder.create(tmp_path / "lab")
    events = [
        *(a_request(n, IDS[0], client="claude-code") for n in range(3)),
        *(a_request(n, IDS[1], client="codex", feature="fix") for n in range(3, 5)),
        a_request(60, NASTY, agent=NASTY),
        a_request(6, None),
    ]
    frame(events).write_parquet(lab.log / "one.parquet")
    return lab.root


def test_the_table_has_a_row_a_session_and_what_one_costs(lab, capsys):
    """So much of each id as `--session` needs."""
    sessions(lab)

    shown = capsys.readouterr().out
    assert "3829a615" in shown and IDS[0] not in shown
    assert "A session costs $" in shown and "n 3." in shown


def test_one_is_shown_request_by_request_and_drawn(lab, capsys, tmp_path):
    """By the beginning of its id; where the picture is, is said."""
    file = tmp_path / "run.png"

    sessions(lab, session=["3829"], png=file)

    shown = capsys.readouterr().out
    assert shown.startswith(IDS[0]) and f"The picture is in {file}." in " ".join(
        shown.split()
    )
    assert file.read_bytes().startswith(b"\x89PNG")


def test_json_has_everything(lab, capsys):
    """The rows of the views, under their names."""
    sessions(lab, json=True)
    listed = json.loads(capsys.readouterr().out)
    sessions(lab, session=[IDS[1]], format="json")
    run = json.loads(capsys.readouterr().out)
    sessions(lab, by="client", json=True)
    costs = json.loads(capsys.readouterr().out)

    assert {one["session"] for one in listed["sessions"]} == {*IDS, NASTY}
    assert listed["cost"]["sessions"] == 3
    assert [one["request"] for one in run["requests"]] == [1, 2]
    assert {one["client"]: one["sessions"] for one in costs["groups"]} == {
        "claude-code": 1,
        "codex": 1,
        "no client": 1,
    }


def test_csv_is_read_back_and_holds_no_formula(lab, capsys):
    """As many lines as sessions."""
    sessions(lab, format="csv")

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3
    assert next(r["session"] for r in rows if "HYPER" in r["session"])[0] == "'"


@pytest.mark.parametrize("asked", [{}, {"session": ["=HYP"]}, {"by": "session"}])
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_no_name_steers_the_terminal(lab, capsys, asked, form):
    """No control character of a client is printed."""
    sessions(lab, format=form, **asked)

    assert not set(capsys.readouterr().out) & {"\x1b", "\x07", "\x9b"}


@pytest.mark.parametrize(
    "asked, n",
    [
        ({"since": "24h"}, 2),
        ({"feature": ["fix"]}, 1),
        ({"client": ["codex", "claude-code"]}, 2),
        ({"org": ["acme"]}, 3),
    ],
)
def test_it_is_narrowed_as_a_report_is(lab, capsys, asked, n):
    """By time, feature, client, user and org."""
    sessions(lab, json=True, **asked)

    assert len(json.loads(capsys.readouterr().out)["sessions"]) == n


def test_where_there_is_none_it_says_how_to_have_some(lab, capsys):
    """One sentence, no empty table."""
    ends = (
        f"{datetime.now(UTC) - timedelta(hours=h):%Y-%m-%dT%H:%M}" for h in (7, 5.5)
    )
    sessions(lab, since="..".join(ends))

    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("No request names a session.")


def test_what_cannot_be_shown_is_said(lab, tmp_path):
    """A session that is not there, and a picture of no session."""
    with pytest.raises(LabError, match="No session nope"):
        sessions(lab, session=["nope"])
    with pytest.raises(LabError, match="--session"):
        sessions(lab, png=tmp_path / "x.png")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(lab, capsys, monkeypatch, width):
    """Columns that tell the least go first."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))

    sessions(lab, client=["codex", "claude-code"])

    lines = capsys.readouterr().out.splitlines()
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= width
    assert "session" in table[0] and "spend" in table[0]
