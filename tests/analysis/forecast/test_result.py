"""A forecast's table and words, where there is little to say."""

from datetime import date

from lectr_lab.analysis.forecast.result import Budget, Forecast, Outlook


def test_nothing_has_a_sentence_and_a_schema():
    """An empty log."""
    found = Forecast()

    assert repr(found) == "No request in the log, so nothing to forecast from."
    assert found.frame().columns[0] == "spent_usd" and found.frame().is_empty()
    assert "No request" in found._repr_html_()


def test_a_column_of_dashes_is_not_shown():
    """What is known of no group; the frame has it."""
    one = Outlook(key=("chat",), days=3, spent_usd=1.0, budget=Budget(1.0))
    found = Forecast(
        outlooks=(one,),
        keys=("feature",),
        groups=3,
        until=date(2026, 11, 3),
        budget_usd=5.0,
    )

    assert found.frame()["bill_usd"].to_list() == [None]
    assert "bill" not in found.in_full() and "reached" not in found.in_full()
    assert "2 more are not shown" in found.in_full()
