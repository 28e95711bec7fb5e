"""`lectr-lab evidence`, as a shell runs it."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lectr_lab.cli.evidence import evidence
from lectr_lab.core.errors import ConfigError

LLAMA = Path(__file__).parents[2] / "cassettes" / "llama"
Q4, Q2 = "gemma-3-270m-q4_k_m", "gemma-3-270m-q2_k"


@pytest.fixture
def tape(tmp_path, monkeypatch):
    """The larger model's recording alone, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in (f"{Q4}.yaml", f"{Q4}.side.json"):
        shutil.copy(LLAMA / name, tmp_path / name)
    return tmp_path / f"{Q4}.yaml"


@pytest.fixture
def server():
    """A model that finds everything positive."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            choice = {"message": {"content": " positive"}, "finish_reason": "stop"}
            data = json.dumps({"model": "new", "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Nothing is printed."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/v1"
    http.shutdown()
    http.server_close()
    thread.join()


def test_recorded_pairs_need_no_call(capsys):
    """Both models are in the folder: scores and verdict at once."""
    evidence(LLAMA, to_model=Q2, feature="support-triage")
    said = capsys.readouterr().out

    assert "calls to" not in said
    assert "pairs: 14, scored by label against the present model's answers" in said
    assert "verdict: need more" in said


def test_it_says_what_it_takes_and_asks_first(tape, server, monkeypatch, capsys):
    """Without a yes nothing is sent or written."""
    monkeypatch.setattr("builtins.input", lambda _: "n")
    evidence(tape, to_model="new", feature="support-triage", upstream=server)
    said = capsys.readouterr().out

    assert "14 calls to new, about 1,055 tokens in and 28 out" in said
    assert "what it costs is not known" in said
    assert "Nothing was asked." in said
    assert "14: the candidate was not asked" in said
    assert not (tape.parent / f"{Q4}.new.yaml").exists()


def test_answers_are_asked_recorded_and_judged(tape, server, capsys):
    """Then nothing is left to ask; labels say how right both are."""
    prices = tape.parent / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "new"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n'
    )
    asked = {"to_model": "new", "feature": "support-triage", "upstream": server}
    evidence(tape, **asked, limit=4, yes=True, prices=prices)
    first = capsys.readouterr().out
    assert "about $0.00031" in first
    assert "4 answered" in first
    assert "10: the candidate was not asked" in first

    evidence(tape, **asked, yes=True)
    assert "10 answered" in capsys.readouterr().out

    labels = tape.parent / "labels.jsonl"
    labels.write_text('{"prompt": "A waste of money.", "label": "negative"}\n')
    evidence(tape, **asked, labels=labels)
    said = capsys.readouterr().out
    assert "calls to" not in said
    assert "scores: 1.000 now, 0.000 then" in said
    assert "13: no label" in said


def test_reasoning_is_neither_asked_nor_adopted(tape, server, capsys):
    """No money goes into what is refused anyway."""
    evidence(tape, to_model="new", feature="proof-check", upstream=server, yes=True)
    said = capsys.readouterr().out

    assert "Nothing is asked" in said
    assert "verdict: refuse: reasoning is never moved" in said
    assert "calls to" not in said


def test_what_is_missing_is_said(tape):
    """No such feature, no such model, a margin that means nothing."""
    with pytest.raises(
        ConfigError, match=r"no answer to feature nothing.*support-triage"
    ):
        evidence(tape, to_model="new", feature="nothing")
    with pytest.raises(ConfigError, match="no answers of other"):
        evidence(tape, to_model="new", feature="support-triage", from_model="other")


@pytest.mark.parametrize(
    "wrong", [{"margin": 2.0}, {"limit": -1}, {"labels": Path("none.jsonl")}]
)
def test_a_wrong_setting_costs_no_call(tape, server, capsys, wrong):
    """It is told before anything is asked."""
    asked = {"to_model": "new", "feature": "support-triage", "upstream": server}
    with pytest.raises(ConfigError):
        evidence(tape, **asked, yes=True, **wrong)

    assert capsys.readouterr().out == ""
    assert not (tape.parent / f"{Q4}.new.yaml").exists()
