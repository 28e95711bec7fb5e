"""What a proxy's handle shows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lectr_lab.notebook.card import (
    SNIPPETS,
    State,
    as_html,
    as_text,
    health_rows,
    snippet_for,
)

QUIET = {
    "in_flight": 0,
    "unknown_callers": 0,
    "writer": "ok",
    "events": {"received": 0, "written": 0, "dropped": 0},
    "warnings": [],
}
URL = "http://127.0.0.1:8484/v1"


def test_it_waits_says_arrived_and_counts():
    """The first request changes what it says; so does one in flight."""
    assert health_rows(QUIET) == {"state": "waiting for the first request …"}
    assert "arrived" in health_rows(QUIET | {"in_flight": 1})["state"]
    busy = QUIET | {
        "in_flight": 2,
        "events": {"received": 1204, "written": 1204, "dropped": 0},
    }
    assert health_rows(busy)["requests"] == "1,204 so far, 2 in flight"


def test_what_is_wrong_is_said():
    """Dropped events, a disk that fails, callers without a key, an org over its cap."""
    bad = QUIET | {
        "unknown_callers": 3,
        "writer": "failing",
        "events": {"received": 9, "written": 2, "dropped": 7},
        "warnings": ["a <b> has spent its daily_spend_usd of today."],
    }

    shown = health_rows(bad)
    html = as_html(State(URL, Path("lab"), bad))

    assert shown["log incomplete"] == "7 events dropped"
    assert {"refused", "disk", "warning"} <= shown.keys()
    assert "a &lt;b&gt; has spent" in html


def test_a_proxy_that_does_not_answer_is_not_a_stopped_one():
    """An empty reply of /health is a state of its own."""
    assert "does not answer" in health_rows({})["state"]
    assert "running" in as_text(State(URL, Path("lab"), {}))
    assert "stopped" in as_text(State(URL, Path("lab"), None))


def test_each_snippet_reads_the_key_from_the_environment():
    """Python, Node, curl, and no code change; each names the address and the header."""
    html = as_html(State(URL, Path("lab"), QUIET))

    for name in SNIPPETS:
        code = snippet_for(name, URL)
        assert f"<b>{name}</b>" in html
        reads = URL in code and "LECTR_KEY" in code and "X-Lectr-Key" in code
        assert reads or code.startswith("lectr-lab run ")
    assert "JupyterHub" in html and "VS Code" in html
    assert "<script" not in html


def test_the_python_snippet_runs(monkeypatch):
    """As it is copied."""
    openai = pytest.importorskip("openai")
    monkeypatch.setenv("LECTR_KEY", "lc_key_x")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    names: dict[str, object] = {}

    exec(snippet_for("Python", URL), names)  # noqa: S102

    client = names["client"]
    assert isinstance(client, openai.OpenAI)
    assert client.default_headers["X-Lectr-Key"] == "lc_key_x"
    client.close()


@pytest.mark.parametrize("name", ["curl", "No code change"])
def test_the_shell_snippets_are_shell(name):
    """bash reads them without a complaint."""
    code = snippet_for(name, URL)

    subprocess.run(["bash", "-n", "-c", code], check=True)


def test_the_node_snippet_is_javascript():
    """node reads it without a complaint."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node to read JavaScript")
    code = snippet_for("Node", URL)

    subprocess.run(
        [node, "--input-type=module", "--check", "-"], input=code.encode(), check=True
    )
