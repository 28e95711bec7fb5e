"""A page, whole."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from lectr_lab.dashboards import page, picture, write_page
from lectr_lab.dashboards.page import _step

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
PNG = b"\x89PNG\r\n\x1a\n"


class Seen(HTMLParser):
    """The elements and attributes a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def specs(text: str) -> dict[str, dict]:
    [found] = re.findall(
        r'<script type="application/json" id="specs">(.*?)</script>', text
    )
    return json.loads(found)


def test_a_page_is_whole_in_itself(log):
    """Scripts and styles stand in it, and nothing is fetched from anywhere."""
    text = page(log({}, {"feature": None}))

    seen = Seen(text)
    assert {"link", "img", "iframe"}.isdisjoint(seen.tags)
    assert {"src", "href"}.isdisjoint(dict(seen.attributes))
    assert "default-src 'none'" in text
    assert len(text.encode()) < 2_000_000


def test_every_chart_has_its_place(log):
    """Six charts, each drawn where the page has room for it."""
    text = page(log({}, {"feature": None}))

    assert list(specs(text)) == [
        "spend",
        "time",
        "latency",
        "errors",
        "tokens",
        "untagged",
    ]
    for key in specs(text):
        assert f'id="chart-{key}"' in text


def test_what_a_client_sent_stays_text(log):
    """In the title, the table, the charts, the notes and the snippets."""
    plain = Seen(page(log({}, {"model_actual": "x"}), title="t", notes=["n"]))

    text = page(
        log({"feature": HOSTILE, "org": HOSTILE}, {"model_actual": HOSTILE}),
        title=HOSTILE,
        notes=[HOSTILE],
    )

    found = Seen(text)
    assert found.tags.count("script") == plain.tags.count("script") == 3
    assert {"onerror", "src"}.isdisjoint(dict(found.attributes))
    labels = json.dumps(specs(text))
    assert "alert(1)" in labels


def test_the_head_says_the_key_figures(log):
    """Requests, spend, error rate, p95, and what is untagged."""
    failed = {"outcome": "timeout", "input_tokens": None, "output_tokens": None}
    text = page(log({}, {}, {"feature": None}, failed))

    for said in ("<dd>4</dd>", "<dd>$0.0014</dd>", "<dd>25 %</dd>", "<dd>802 ms</dd>"):
        assert said in text
    assert "X-Lectr-Feature" in text


def test_an_incomplete_log_says_so(log):
    """A banner, and only then."""
    assert "Log incomplete: 12 events dropped" in page(log({}), dropped=12)
    assert "Log incomplete" not in page(log({}))


def test_an_empty_log_has_a_page_and_a_picture(log):
    """It says that nothing has been logged, and draws nothing."""
    text = page(log())

    assert "No request has been logged yet." in text
    assert specs(text) == {}
    assert picture(log()).startswith(PNG)


@pytest.mark.parametrize(
    "requests", [[{}], [{"outcome": "timeout", "input_tokens": None}]]
)
def test_one_request_is_enough_for_a_page(log, requests):
    """A single one, even a failed one."""
    assert specs(page(log(*requests), tz="Asia/Tokyo"))


def test_a_thousand_features_stay_a_small_page(log):
    """The dearest are shown, and it says so."""
    text = page(log(*({"feature": f"feature-{i}"} for i in range(1000))))

    assert text.count("<tr ") == 50
    assert "The 50 dearest are shown." in text
    assert len(text) < 1_500_000


def test_a_page_is_written_where_it_is_asked_for(log, tmp_path):
    """And its path comes back."""
    path = write_page(log({}), tmp_path / "report.html", title="Ours", dropped=1)

    assert path == tmp_path / "report.html"
    assert "<h1>Ours</h1>" in path.read_text("utf-8")


def test_a_picture_is_a_png(log):
    """All charts in one."""
    assert picture(log({}, {"feature": None, "model_actual": "x"})).startswith(PNG)


@pytest.mark.parametrize(
    "span, every",
    [
        (timedelta(0), "1m"),
        (timedelta(minutes=50), "1m"),
        (timedelta(hours=3), "1h"),
        (timedelta(days=20), "1d"),
        (timedelta(days=3000), "1w"),
    ],
)
def test_steps_are_as_short_as_can_be_read(span, every):
    """At most 72 of them, as long as a week is enough."""
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert _step(start, start + span) == every


def test_no_time_has_a_step():
    """An empty log is drawn by the minute."""
    assert _step(None, None) == "1m"
