"""When the budgets of a lectr.toml are reached, by the log of their lab."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis import budget_spend
from lectr_lab.analysis.forecast import forecast
from lectr_lab.analysis.forecast.of_budgets import of_budgets, spent
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.scan import scan
from lectr_lab.budgets.meters import PUSD_PER_USD, Meter
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter

FIRST = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
A_DAY_USD = 24 * 0.00262  # gpt-4o, 1,000 tokens in, 12 out, each hour
SAID = {
    "model_actual": "gpt-4o-2024-08-06",
    "model_sent": "gpt-4o-2024-08-06",
    "model_requested": "gpt-4o-2024-08-06",
    "output_tokens": 12,
}


@pytest.fixture(scope="session")
def events(event):
    """Two weeks of calls every hour, of a feature by day and of none by night."""
    return [
        event(
            started_at=FIRST + timedelta(hours=hour),
            **SAID,
            feature="chat" if 8 <= hour % 24 < 20 else None,
        )
        for hour in range(24 * 14)
    ]


def budget(usd: float, **more) -> BudgetSettings:
    return BudgetSettings(usd=usd, **{"per": "month"} | more)


def test_a_budget_has_the_day_that_a_forecast_of_it_has(events, log_of):
    """As if its limit and its requests had been asked for alone."""
    log = priced(log_of(events))
    every, chat = (
        budget(20.5 * A_DAY_USD),
        budget(8 * A_DAY_USD, whom={"feature": "chat"}),
    )

    of_all, of_chat = of_budgets(log, [every, chat])

    alone = forecast(log, usd=every.usd).outlooks[0].budget
    only = log.filter(pl.col("feature") == "chat")
    assert of_all.reached == alone
    assert (
        of_chat.reached.reached_on
        == forecast(only, usd=chat.usd).outlooks[0].budget.reached_on
    )
    assert of_all.sentence == (
        "The budget of $1.29 a month for all requests is reached on 2026-11-22."
    )


def test_what_has_no_single_sum_is_left_out(events, log_of):
    """Budgets for each of several, for a key, for a run."""
    told = [
        budget(1, whom="user"),
        budget(1, whom={"key": "k"}),
        budget(1, per="run", whom={"session": "s"}),
        budget(1, name="Chat", per="week", whom={"feature": "untagged"}),
    ]

    [found] = of_budgets(priced(log_of(events)), told)

    assert (found.name, found.per) == ("Chat", "week")
    assert found.reached.spent_usd == pytest.approx(7 * A_DAY_USD / 2)
    assert 'The budget "Chat" of $1.00 a week for feature untagged' in found.sentence


def test_an_empty_log_reaches_none(log_of):
    """And there is nothing to say."""
    assert of_budgets(priced(log_of([])), [budget(1)]) == ()


rows = st.fixed_dictionaries(
    {
        "feature": st.sampled_from([None, "chat", "untagged"]),
        "org": st.sampled_from(["acme", "other"]),
        "credential": st.sampled_from([None, "api_key", "plan"]),
        "source": st.sampled_from([None, "litellm"]),
        "outcome": st.sampled_from(["ok", "refused"]),
    }
)
whoms = st.sampled_from(
    [
        "all",
        {"org": "acme"},
        {"feature": "untagged"},
        {"org": "acme", "feature": "chat"},
    ]
)


@given(st.lists(rows, max_size=8), whoms)
def test_what_counts_is_what_counts_for_the_proxies(event, log_of, rows, whom):
    """The sums that a proxy reads back from the log are those that are foretold from."""
    one = budget(5, whom=whom)
    log = priced(log_of([event(started_at=FIRST, **SAID, **row) for row in rows]))

    usd = spent(log, one).collect()["spend_usd"].sum()

    ends = FIRST + timedelta(days=1)
    found = budget_spend.spent(log, FIRST, ends).collect().to_dicts()
    meter = Meter(one, KeyedHash("a secret of sixteen"))
    sums = budget_spend.lacking(found, meter, FIRST.timestamp(), {})
    assert round(usd * PUSD_PER_USD) == sum(change.spent for change in sums)


def test_the_budgets_of_a_lab_lie_beside_it(events, tmp_path):
    """A folder says which; a broken file of settings is no reason to fail."""
    lab = LabFolder.create(tmp_path / "lab")
    writer = JournalWriter(lab)
    writer.append(events)
    writer.close()
    settings = tmp_path / "lectr.toml"
    settings.write_text(f'[[budget]]\nusd = {9.5 * A_DAY_USD}\nper = "month"\n')

    found = forecast(lab.root)

    assert found.budgets[0].reached.reached_on == date(2026, 11, 11)
    assert found.budget_sentences[0] in found.in_full()
    assert found.payload()["budgets"] == found.budget_sentences
    assert "is reached on 2026-11-11" in found._repr_html_()
    log = scan(lab.root)
    assert forecast(log).budgets == found.budgets
    for part in (
        log.select(feature="chat"),
        log.select(since="2026-11-04"),
        log.head(9),
    ):
        assert forecast(part).budgets == ()
    assert forecast(lab.root, org="acme").budgets == ()
    settings.write_text("[[budget]]\nusd = 'much'")
    assert forecast(lab.root).budgets == ()
