"""What a comparison says of itself."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.compare import compare
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.log.schema import frame

FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = FIRST + timedelta(days=7)


@pytest.fixture
def doubled(event):
    """Chat asks twice as often; another feature came, with a name that is markup."""
    some = [event(feature="chat", started_at=FIRST)]
    some += [event(feature="chat", started_at=LATER) for _ in range(2)]
    some += [event(feature="<b>new</b>", started_at=LATER, output_tokens=9_000)]
    some += [event(feature="ours", started_at=FIRST, model_actual="ours")]
    return compare(priced(frame(some).lazy()), "2026-11-02", "2026-11-09")


def test_the_sentence_says_how_much_why_and_whose(doubled):
    """And what is in no sum."""
    text = doubled.in_short()

    assert text.startswith("Spend rose by $0.0060 (+1,333 %): from $0.00045 to $0.0065")
    assert "2 Nov 2026, then 9 Nov 2026; 1 and 3 requests" in text
    assert "What made it: more requests +$0.0060." in text
    assert "Most of it: <b>new</b> +$0.0056, more requests; chat +$0.00045" in text
    assert "1 group is in no sum" in text and "1 then 0 unpriced" in text


def test_it_shows_itself(doubled):
    """As text and as HTML, in which names are text; unknown is a dash."""
    text, html = repr(doubled), doubled._repr_html_()

    assert "+$0.00045" in text and "chat" in text
    assert "&lt;b&gt;new" in html and "<b>new" not in html
    [ours] = [line for line in text.splitlines() if line.startswith("ours")]
    assert "— no price known" in ours or "—" in ours


def test_no_column_of_zeros_is_shown(doubled):
    """Nor the org, where it is one."""
    assert doubled.shown().columns == [
        *("feature", "change_usd", "before_usd", "after_usd", "from_requests_usd"),
        *("requests_before", "requests"),
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_a_terminal(doubled, width):
    """What tells least goes first, and the change stays."""
    lines = doubled.text(width).split("\n\n")[0].splitlines()

    assert max(map(len, lines)) <= width
    assert "change" in lines[0]


def test_the_total_is_the_sum_of_what_both_spans_know(doubled):
    """The group without a price is counted, and in no sum."""
    total = doubled.total()
    known = doubled.frame().filter(pl.col("change_usd").is_not_null())

    assert total["unknown"] == 1
    assert total["change_usd"] == pytest.approx(known["change_usd"].sum())


def test_it_is_json(doubled):
    """Plain values, spans as moments."""
    told = json.loads(json.dumps(doubled.to_dict(), allow_nan=False))

    assert told["after"]["first"] == "2026-11-09T00:00:00+00:00"
    assert [group["feature"] for group in told["groups"]] == [
        "<b>new</b>",
        "chat",
        "ours",
    ]
    assert told["text"].startswith(doubled.in_short())


def test_what_stayed_is_said_to_have(event):
    """The same twice."""
    log = priced(frame([event(started_at=at) for at in (FIRST, LATER)]).lazy())

    found = compare(log, "2026-11-02", "2026-11-09")

    assert found.in_short().startswith("Spend stayed at $0.00045 (2 Nov")
