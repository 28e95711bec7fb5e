"""Sums of money are the same to the bit, whoever adds them up and in what order."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lectr_lab as lectr
from lectr_lab.analysis.views.money import summed, usd_sum

PACKAGE = Path(lectr.__file__).parent

# Every view that adds money up, on its own; what it returns is compared whole.
VIEWS = {
    "spend": "lectr.spend(log, ['feature', 'model']).sort(pl.all()).collect()",
    "by day": "lectr.spend(log, 'user', every='1d').sort(pl.all()).collect()",
    "summary": "lectr.summary(log).sort(pl.all()).collect()",
    "sessions": "lectr.sessions(log).sort(pl.all()).collect()",
    "a session": "lectr.sessions(log, by='client').sort(pl.all()).collect()",
    "cache": "lectr.cache(log).sort(pl.all()).collect()",
    "lost": "lectr.cache_losses(log).sort(pl.all()).collect()",
}
PROGRAM = """
import hashlib
import sys

import polars as pl
import lectr_lab as lectr
pl.Config.set_engine_affinity(sys.argv[1])
log = pl.scan_parquet(sys.argv[2:])
for name, view in {views!r}.items():
    print(name, hashlib.sha256(repr(eval(view).rows()).encode()).hexdigest())
"""


@given(st.lists(st.integers(0, 9 * 10**15), max_size=50), st.randoms())
def test_a_sum_is_exact_in_any_order(pusd, dice):
    """The float nearest to the true sum, for any amounts below 9,007 USD."""
    usd = [n / 10**12 for n in pusd]
    true = float(Decimal(sum(pusd)) / 10**12)

    sums = {_sum(dice.sample(usd, len(usd))) for _ in range(3)}

    assert len(sums) == 1
    assert sums.pop() == pytest.approx(true, rel=2**-52, abs=0)


@given(st.lists(st.integers(0, 9 * 10**15), min_size=1, max_size=50), st.data())
def test_parts_add_up_to_their_whole(pusd, data):
    """In whole 1e-12 USD, for any cut in two whose sums are below 9,007 USD."""
    usd = [n // 100 / 10**12 for n in pusd]
    cut = data.draw(st.integers(0, len(usd)))

    assert _sum([_sum(usd[:cut]), _sum(usd[cut:])]) == _sum(usd)


def test_what_is_not_known_is_left_out():
    """As polars sums: nulls add nothing, and nothing at all is 0; what is no number too."""
    frame = pl.DataFrame({"a_usd": [None, 0.25, float("inf"), float("nan")], "n": 1})

    assert frame.select(summed(["a_usd", "n"])).row(0) == (0.25, 4)
    assert frame.clear().select(usd_sum("a_usd")).item() == 0.0


@pytest.mark.slow
def test_views_are_the_same_bits_however_the_log_is_cut(tmp_path):
    """Files, the order of rows, the engine and the number of threads change no digit."""
    rows = lectr.demo_log().collect()
    shuffled = rows.sample(fraction=1, shuffle=True, seed=3)
    cuts = {
        "one": [rows],
        "shuffled": [shuffled],
        "many": list(shuffled.iter_slices(rows.height // 5 + 1)),
    }
    answers = {}
    for name, parts in cuts.items():
        files = [tmp_path / f"{name}-{i}.parquet" for i in range(len(parts))]
        for part, file in zip(parts, files, strict=True):
            part.write_parquet(file)
        for engine, threads in (("streaming", "2"), ("in-memory", "1")):
            answers[name, engine] = _answers(engine, threads, files)

    assert all(answer == answers["one", "streaming"] for answer in answers.values())


def test_no_view_adds_money_up_as_floats():
    """Whoever writes a view finds the one way to add amounts up."""
    added = re.compile(r'(_usd"\)|cost|\busd|spent)(\.filter\([^()]*\))?\.sum\(\)')

    found = {
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in (PACKAGE / "analysis").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if added.search(line) and not re.search(r">>>|\bnp\.", line)
    }

    assert not found


def _sum(usd):
    return pl.DataFrame({"usd": usd}, {"usd": pl.Float64}).select(usd_sum("usd")).item()


def _answers(engine, threads, files):
    program = PROGRAM.format(views=VIEWS)
    done = subprocess.run(
        [sys.executable, "-c", program, engine, *map(str, files)],
        env=os.environ | {"POLARS_MAX_THREADS": threads},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
