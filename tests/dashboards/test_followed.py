"""What a dashboard that goes on shows, whoever tells a browser."""

import json
from datetime import timedelta

import polars as pl
import pytest
from unpacked import unpacked_cells

from lectr_lab.analysis.scan import scan
from lectr_lab.dashboards.followed import Followed, folder_source, still_source
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter


@pytest.fixture
def lab(tmp_path, event) -> LabFolder:
    """Four requests, an hour apart."""
    lab = LabFolder.create(tmp_path / "lab")
    JournalWriter(lab).append([event(n, {"client": f"c{n}"}) for n in range(4)])
    return lab


def requests(shown: Followed) -> int:
    said = unpacked_cells(json.loads(shown.drawn("live")))
    return sum(said["cells"]["requests"] or [])


def test_a_log_that_stays_shows_what_one_that_goes_on_does(lab):
    """The same figures and the same requests, by another column, too."""
    for by in ("feature", "client"):
        shown = [
            Followed(folder_source(lab.root, by=by), by=by),
            Followed(still_source(scan(lab.root), by=by), by=by),
        ]

        assert [one.update() for one in shown] == [True, True]
        assert [one.update() for one in shown] == [False, False]
        first, second = (json.loads(one.drawn("live")) for one in shown)
        assert first == second
        first, second = (one.answer({"ask": "rows"}) for one in shown)
        assert first == second and first["n"] == 4


def test_what_was_before_its_first_moment_does_not_count(lab, event):
    """Neither in the figures nor among the requests; what comes later does."""
    at = scan(lab.root).select(pl.col("started_at").min()).collect().item()
    since = at + timedelta(hours=2)
    shown = Followed(folder_source(lab.root, since=since))

    shown.update()
    assert (requests(shown), shown.answer({})["n"]) == (2, 2)

    JournalWriter(lab).append([event(40, {})])
    shown.update()
    assert (requests(shown), shown.answer({})["n"]) == (3, 3)


def test_a_span_in_which_nothing_happened_is_empty(lab, event):
    """It shows no request, and waits for one."""
    at = scan(lab.root).select(pl.col("started_at").max()).collect().item()
    shown = Followed(folder_source(lab.root, since=at + timedelta(days=3)))

    assert shown.update() is True
    assert requests(shown) == 0
    assert shown.carried()["id"] == []


def test_advice_is_given_once_per_news(lab, event):
    """It reads the whole log, so a second look finds nothing to say."""
    shown = Followed(folder_source(lab.root))
    shown.update()

    assert shown.advice() is not None
    assert shown.advice() is None
