"""What a page says of requests one by one."""

from datetime import timedelta

from lectr_lab.dashboards import recent as module
from lectr_lab.dashboards.recent import recent


def test_of_few_rows_all_are_read(log):
    """And nothing is said."""
    found = recent(log({}, {}), many=False)

    assert found.said == "" and found.rows.collect().height == 2


def test_of_many_those_of_the_newest_days_are_read(log, event, monkeypatch):
    """Which is said."""
    start = event(0, {}).started_at
    rows = log(*({"started_at": start + timedelta(days=n // 2)} for n in range(6)))

    monkeypatch.setattr(module, "MOST_RECENT", 4)
    assert recent(rows, many=True).said == "newest 2 days, 4 requests"
    monkeypatch.setattr(module, "MOST_RECENT", 2)
    found = recent(rows, many=True)

    assert found.said == "newest day, 2 requests"
    assert found.rows.collect().height == 2
    monkeypatch.setattr(module, "MOST_RECENT", 6)
    assert recent(rows, many=True).said == ""
