"""An option that many commands have."""

import inspect
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from shipped_lab import KEYS, add_part

from lectr_lab.cli.app import _COMMANDS, app
from lectr_lab.cli.options import Lab, LabOrUrl
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.shipping.places import place
from lectr_lab.shipping.ship import begin, ship
from lectr_lab.shipping.stores import opened

READ = ["report", "forecast", "recommend", "sessions", "simulate", "odd"]
FAR = [*READ, "dashboard", "export --out there", "reconcile other.json --lab"]
OF_FOLDERS = ["compact", "doctor", "watch", "metrics --lab", "keys list --lab"]
OF_FOLDERS += ["budgets --lab", "ship s3://bucket/prefix --lab"]
URL = "s3://bucket/prefix"


def run(*words: str) -> None:
    app([*words], result_action="return_value")


@pytest.mark.parametrize("path", [path for path, _ in _COMMANDS.values()])
def test_a_lab_has_both_its_names(path):
    """Wherever a command takes one to read."""
    module, function = path.split(":")
    found = getattr(import_module(f"lectr_lab.cli.{module}"), function)

    lab = inspect.signature(found).parameters.get("lab")

    fine = lab is None or lab.default is not None
    assert fine or lab.annotation in (Lab, LabOrUrl)


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A lab, and the prefix that it was shipped to."""
    url, lab = f"file://{tmp_path}/store", LabFolder.create(tmp_path / "lab")
    first = datetime.now(UTC).replace(hour=12) - timedelta(days=20)
    for day in range(20):
        some = [
            Event(
                event_id=bytes([*range(14), day, n]),
                started_at=first + timedelta(days=day, seconds=n),
                org="acme",
                feature="chat",
                session=f"run-{day}",
                path="/v1/chat/completions",
                operation="chat",
                provider="openai",
                model_actual="gpt-4o",
                outcome="ok",
                status=200,
                total_ms=100.0 + n,
                input_tokens=1_000 + n,
                output_tokens=100,
                token_source="provider",
            )
            for n in range(5)
        ]
        add_part(lab, some)
    begin(lab, url)
    ship(lab, opened(place(url, {})))
    (tmp_path / "rules.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return str(lab.root), url


@pytest.mark.parametrize("command", READ)
def test_a_prefix_is_read_as_the_folder_is(command, both, capsys):
    """The same words, by every command that reads a log."""
    said = []
    for lab in both:
        run(command, lab, "--json")
        said.append(capsys.readouterr().out)

    assert said[0] == said[1] and len(said[0]) > 1


def test_a_prefix_is_exported_and_its_charts_are_drawn(both, tmp_path, capsys):
    """Of a time, too; and a table says whose it is."""
    for lab, out in zip(both, ("here", "there"), strict=True):
        run("export", lab, "--out", out, "--since", "10d")
    here, there = (sorted((tmp_path / out).iterdir()) for out in ("here", "there"))
    assert [p.name for p in here] == [p.name for p in there] and len(here) >= 9

    run("report", both[1], "--since", "10d", "--html", "page.html")
    assert "chat" in capsys.readouterr().out
    assert (tmp_path / "page.html").stat().st_size > 10_000


@pytest.mark.parametrize("command", OF_FOLDERS)
def test_what_works_on_a_folder_says_so_of_a_prefix(command, capsys):
    """With what does read one."""
    with pytest.raises(SystemExit):
        run(*command.split(), URL)

    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "a lab folder of this machine, and s3://bucket/prefix is none" in said
    assert "object store: report, dashboard, export" in said


@pytest.mark.parametrize("command", FAR)
@pytest.mark.parametrize(
    ("url", "says"),
    [
        (URL, "no credentials for s3://bucket/prefix in the environment"),
        ("s4://bucket/prefix", "write s3://bucket/prefix"),
        ("https://host/lab", "write s3://bucket/prefix"),
        ("s3://", "name a bucket"),
        ("s3://key:secret@bucket/p", "write no credentials into it"),
    ],
)
def test_a_bad_url_is_said_before_anything_is_asked(
    command, url, says, monkeypatch, tmp_path
):
    """As are credentials that are not there; of no kind a traceback."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text("")
    (tmp_path / "other.json").write_text("[]")

    with pytest.raises(LabError, match=says):
        run(*command.split(), url)


def test_a_store_that_is_away_is_said_soon(monkeypatch):
    """Not after minutes of trying."""
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).items():
        monkeypatch.setenv(name, value)
    before = time.monotonic()

    with pytest.raises(LabError, match="cannot be reached"):
        run("report", URL)
    assert time.monotonic() - before < 30  # 3 on a machine that is not busy
