"""What is odd, as a page draws it."""

import json
import re

from odd_lab import odd_lab

import lectr_lab as lectr
from lectr_lab.analysis.odd.remarks import note
from lectr_lab.dashboards.odd import noted, odd_in
from lectr_lab.log.folder import LabFolder


def data_of(html: str) -> dict:
    """What a page is drawn from."""
    found = re.search(
        r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL
    )
    return json.loads(found[1])


def test_a_page_has_the_incidents_by_its_own_names_of_features(tmp_path):
    """So that a click shows the feature; times in milliseconds."""
    lab = odd_lab(tmp_path / "lab")
    found = lectr.odd(lab)

    page = data_of(lectr.dashboard(lab, odd=found).html)

    [one, *_] = page["odd"]
    assert one["feature"] in page["features"]
    assert one["from"] == found[0].onset.timestamp() * 1000
    assert one["sentence"] == found[0].sentence
    assert page["odd"] == odd_in(lab, (), "UTC")


def test_what_was_noted_is_marked_on_the_time_chart(tmp_path):
    """A deploy, at its moment."""
    lab = odd_lab(tmp_path / "lab")
    at = lectr.odd(lab)[0].onset
    note(LabFolder(lab), "deployed v2", at=at)

    page = data_of(lectr.dashboard(lab).html)

    assert noted(lab) == [(at, "deployed v2")]
    [mark] = [mark for mark in page["marks"] if mark["kind"] == "note"]
    assert (mark["at"], mark["text"]) == (at.timestamp() * 1000, "deployed v2")
