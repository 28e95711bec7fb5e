"""The month's bill on a page: exported, live and served."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lectr_lab.analysis.scan import scan
from lectr_lab.budgets.frame import beside_page
from lectr_lab.core.event import Event
from lectr_lab.dashboards import dashboard
from lectr_lab.dashboards.followed import Followed, folder_source
from lectr_lab.dashboards.foretold import foretold
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter

FIRST = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    """Ten days of a call an hour, with a budget that they reach."""
    lab = LabFolder.create(tmp_path / "lab")
    writer = JournalWriter(lab)
    writer.append([call(hour) for hour in range(240)])
    writer.close()
    (tmp_path / "lectr.toml").write_text('[[budget]]\nusd = 0.05\nper = "month"\n')
    return lab


def call(hour: int) -> Event:
    return Event(
        event_id=hour.to_bytes(16, "big"),
        started_at=FIRST + timedelta(hours=hour),
        org="local",
        path="/v1/chat/completions",
        operation="chat",
        outcome="ok",
        status=200,
        total_ms=1.0,
        provider="openai",
        model_actual="gpt-4o-mini-2024-07-18",
        input_tokens=1000,
        output_tokens=500,
        token_source="provider",
    )


def test_every_page_says_the_same_of_the_days_to_come(lab):
    """The exported one at once; one that goes on with its first advice."""
    exported = dashboard(lab.root).html
    followed = Followed(folder_source(lab.root))
    followed.update()
    assert "forecast" not in msgspec.json.decode(followed.drawn(""))

    followed.advice()

    told = msgspec.json.decode(followed.drawn(""))["forecast"]
    assert told["sentence"].startswith("November 2026: $0.11 until 11 Nov, about $")
    assert told["budgets"] == [
        "The budget of $0.050 a month for all requests is reached on 2026-11-06."
    ]
    of_log = dashboard(scan(lab.root)).html
    for page in (exported, of_log):
        assert told["sentence"] in page and told["budgets"][0] in page
    assert "budgets" in beside_page(lab.root)


def test_of_a_part_of_the_log_no_budget_is_told(lab):
    """It counts what was before as well."""
    followed = Followed(folder_source(lab.root, since=FIRST + timedelta(days=2)))
    followed.update()
    followed.advice()

    assert msgspec.json.decode(followed.drawn(""))["forecast"]["budgets"] == []


def test_a_log_of_a_few_days_says_nothing(lab):
    """Not even that they are few."""
    assert foretold(scan(lab.root).head(48)) == {}
