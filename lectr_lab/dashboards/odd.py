"""What is odd, as a page draws it: a strip, and marks on the time chart."""

from pathlib import Path
from typing import Any

from lectr_lab.analysis.odd import odd
from lectr_lab.analysis.odd.remarks import remarks
from lectr_lab.analysis.odd.result import Oddities
from lectr_lab.analysis.odd.words import NAMES
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.dashboards.marks import Note
from lectr_lab.log.folder import LabFolder

MOST = 20
_LETTERS = 48  # as the page's own names of features


def strip(found: Oddities) -> list[dict[str, Any]]:
    """The last incidents, ready for JSON: `feature` as the page names it, `from` and `to`
    (ms since 1970; None while it goes on), `kinds` in words, `sentence`, `usd_over`.
    """
    several = found.looked.begun["org"].n_unique() > 1 if len(found) else False
    return [
        {
            "id": one.id,
            "feature": name(
                " · ".join(str(key) for key in one.series[0 if several else 1 :]),
                _LETTERS,
            ),
            "from": round(one.onset.timestamp() * 1000),
            "to": None if one.end is None else round(one.end.timestamp() * 1000),
            "kinds": [NAMES[kind] for kind in one.kinds],
            "sentence": one.sentence,
            "usd_over": one.usd_over,
        }
        for one in found.found[:MOST]
    ]


def odd_in(folder: Path, prices: PriceList, tz: str) -> list[dict[str, Any]]:
    """The strip of a lab folder, whose closed days are counted once.

    Raises:
        LabError: it cannot be read.
    """
    return strip(odd(folder, tz=tz, prices=prices))


def noted(folder: Path) -> list[Note]:
    """What was noted in a lab, for the marks of its time chart.

    Raises:
        LogError: the notes cannot be read.
    """
    return [(one.at, one.text) for one in remarks(LabFolder(folder)).notes]
