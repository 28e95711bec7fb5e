"""What was understood: columns, sums, kinds of call, times."""

from datetime import UTC, datetime, timedelta

from lectr_lab.log.importers.preview import Understood, preview_text
from lectr_lab.log.importers.report import ImportReport

AT = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_preview_shows_columns_sums_and_kinds():
    """And that nothing was written."""
    understood = Understood()
    for number in range(15):
        understood.add(
            {
                "started_at": AT + timedelta(hours=number),
                "model_requested": f"m{number}",
                "input_tokens": 10,
                "total_ms": 2.0,
                "org": "acme",
            }
        )
    preview = understood.preview(ImportReport(15, 15, left={"are odd": 3}))

    text = preview_text(preview)

    assert preview.columns["input_tokens"] == (15, 150, "10")
    assert preview.columns["total_ms"][1] is None
    assert "org" not in preview.columns
    assert (preview.first, preview.last) == (AT, AT + timedelta(hours=14))
    assert (
        "15 calls, 2026-11-24 00:00 to 2026-11-24 14:00 UTC: 15 would be added" in text
    )
    assert "and 3 other kinds" in text
    assert "Left out (3): are odd." in text
