"""The question about known vulnerabilities, to an index of our own on a real port."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import known_vulnerabilities
import pytest
from known_vulnerabilities import INDEX, NoIndex, Pin, known, pins

PROGRAM = Path(known_vulnerabilities.__file__)
CONSTRAINTS = PROGRAM.parents[2] / "constraints.txt"
FINE, BAD = Pin("fine", "1.0"), Pin("bad", "2.0")


@pytest.fixture
def answers(origin) -> Iterator[Callable[[object, int], str]]:
    """Makes the index answer; gives its URL."""

    def answer(value: object, status: int = 200) -> str:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        origin.pieces = [(0.0, head + body)]
        return f"{origin.url}/v1/querybatch"

    yield answer


def asked(folder: Path, index: str) -> tuple[int, str]:
    """The program's exit code and words, of two pins."""
    file = folder / "constraints.txt"
    file.write_text("fine==1.0\nbad==2.0\n")
    command = [sys.executable, PROGRAM, "--constraints", file, "--index", index]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_what_is_known_is_named_and_fails(answers, tmp_path):
    """By package, version and where to read about it."""
    index = answers({"results": [{}, {"vulns": [{"id": "PYSEC-1", "modified": ""}]}]})

    assert known([FINE, BAD], index) == {BAD: ["PYSEC-1"]}
    code, said = asked(tmp_path, index)
    assert code == 1
    assert "bad 2.0\n  https://osv.dev/vulnerability/PYSEC-1\n" in said


def test_where_nothing_is_known_it_says_so(answers, tmp_path):
    """And passes."""
    code, said = asked(tmp_path, answers({"results": [{}, {}]}))

    assert (code, said) == (0, "0 of 2 pins have known vulnerabilities.\n")


def test_without_an_index_nothing_is_claimed(tmp_path):
    """It passes, for nobody can do better offline, and says that it was not checked."""
    code, said = asked(tmp_path, "http://127.0.0.1:1/")

    assert code == 0
    assert said.startswith("NOT CHECKED")
    assert "0 of" not in said


@pytest.mark.parametrize(
    "answer", [{"results": [{}]}, {"results": None}, [], {"results": [1, 2]}]
)
def test_half_an_answer_is_none(answers, answer):
    """Fewer results than questions, or something else altogether."""
    with pytest.raises(NoIndex):
        known([FINE, BAD], answers(answer))


def test_an_index_that_refuses_is_none(answers):
    """It may be overloaded, or a mirror that has no such page."""
    with pytest.raises(NoIndex, match="answered 404"):
        known([FINE], answers({}, 404))


def test_every_pin_of_ours_is_asked_about():
    """None is read away; and the index is OSV's."""
    lines = [x for x in CONSTRAINTS.read_text().splitlines() if re.match(r"[\w-]", x)]

    assert len(pins(CONSTRAINTS.read_text())) == len(lines) > 50
    assert INDEX.startswith("https://")
