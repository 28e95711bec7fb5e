"""The main job, end to end, as a user runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

import lectr_lab as lectr

DEMO = [sys.executable, "-m", "lectr_lab.cli", "demo"]


def processes_of(lab_hint: str) -> list[str]:
    """Command lines of running processes that name a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if lab_hint in command:
            found.append(command)
    return found


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Two runs in one folder: what the second printed, and the folder."""
    folder = tmp_path_factory.mktemp("demo")
    for _ in range(2):
        started = time.perf_counter()
        done = subprocess.run(
            DEMO, cwd=folder, capture_output=True, text=True, check=True, timeout=120
        )
        took_s = time.perf_counter() - started
    return done, folder / "lectr-demo", took_s


def test_it_prints_cost_latency_and_errors_per_feature(shown):
    """With the untagged share, the made-up prices, and where the page is."""
    done, folder, _ = shown

    for words in ("support-triage", "untagged", "of spend", "made up", "Recorded"):
        assert words in done.stdout
    assert f"file://{folder.resolve()}/report.html" in done.stdout
    assert done.stderr == ""


def test_its_log_is_parquet_that_anyone_reads(shown):
    """DuckDB and our own reader see the same rows, all of them answered or failed."""
    _, folder, _ = shown

    log = lectr.scan(folder / "lab").collect()
    [(rows,)] = duckdb.sql(
        f"select count(*) from '{folder}/lab/log/*/*.parquet'"
    ).fetchall()
    assert rows == log.height >= 80
    assert log["feature"].n_unique() >= 5
    assert log["model_actual"].drop_nulls().n_unique() >= 2
    assert set(log["stream"].drop_nulls()) == {True, False}
    assert log["feature"].null_count() > 0
    assert log.filter(log["status"] >= 400).height > 0
    assert log["cost_usd"].sum() > 0


def test_its_page_needs_nothing_from_the_network(shown):
    """One file, no address that a browser would load, and it says what it shows."""
    _, folder, _ = shown
    for name, said in {
        "report": "made-up traffic",
        "recorded-minute": "Recorded",
    }.items():
        page = (folder / f"{name}.html").read_text("utf-8")

        assert len(page) < 2_000_000
        assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
        assert said in page


@pytest.mark.parametrize(("name", "charts"), [("report", 9), ("recorded-minute", 8)])
def test_its_page_draws_in_a_browser_without_a_network(shown, rendered, name, charts):
    """Every chart is there, drawn, and none of them failed; sessions where there are."""
    _, folder, _ = shown

    dom = rendered(folder / f"{name}.html")

    assert len(re.findall(r"<figure data-panel=", dom)) == charts
    assert len(re.findall(r"<rect [^>]*class=.bar", dom)) > 0  # spend over time
    assert dom.count('class="row"') > 20


def test_it_takes_seconds(shown):
    """The replay runs at recorded speed; the rest is start-up."""
    assert shown[2] < 60  # a loose bound for a busy machine; the user feels 15 s


def test_the_page_that_it_opens_on_has_weeks_and_leads_to_the_minute(shown):
    """A month of a product says more than a minute of it; both say what they are."""
    done, folder, _ = shown
    page = (folder / "report.html").read_text("utf-8")

    last = done.stdout.rstrip().splitlines()[-1]
    assert "made-up traffic: file://" in last and last.endswith("/report.html")
    assert "onboarding-assistant" in page
    [link] = re.findall(r'<a href="([\w-]+\.html)"', page)
    assert (folder / link).exists()


@pytest.mark.usefixtures("usual_signals")
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    """No process, no file, no traceback."""
    environ = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "COLUMNS": "200"}
    (tmp_path / "tmp").mkdir()
    with subprocess.Popen(
        DEMO,
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        line = demo.stdout.readline()
        while "listens" not in line:
            line = demo.stdout.readline()
        time.sleep(1)
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        _, err = demo.communicate(timeout=60)

    assert demo.returncode == 130
    assert "Traceback" not in err
    assert not list((tmp_path / "tmp").iterdir())
    assert not (tmp_path / "lectr-demo").exists()
    assert not processes_of(str(tmp_path))


def test_it_does_not_replace_what_is_not_a_demos(tmp_path):
    """A user's own lab folder stays."""
    own = tmp_path / "lectr-demo" / "lab"
    own.mkdir(parents=True)
    (own / "precious").touch()

    done = subprocess.run(
        DEMO, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 2
    assert "--output" in done.stderr
    assert (own / "precious").exists()


def test_it_does_not_become_ones_own_log(tmp_path):
    """./lab is the user's own, also where there is none yet."""
    done = subprocess.run(
        [*DEMO, "--output", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert "your own log" in done.stderr
    assert not (tmp_path / "lab").exists()
