"""A lab that is being written to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.analysis.views import cube
from lectr_lab.core.errors import LabError
from lectr_lab.dashboards import following
from lectr_lab.dashboards.counted import Counted, count_log
from lectr_lab.dashboards.following import Follower
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import Losses, write_losses
from lectr_lab.log.schema import file_metadata
from lectr_lab.log.seal import seal

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


def add(lab: LabFolder, log: pl.LazyFrame, name: int) -> list[Path]:
    """Parts of a log, as a sealed journal leaves them."""
    made = []
    rows = log.drop("cost_usd", "price_source").collect()
    for (day,), part in rows.group_by(pl.col("started_at").dt.date()):
        lab.day(day).mkdir(exist_ok=True)
        made.append(lab.day(day) / f"{name:032x}.parquet")
        part.write_parquet(made[-1], metadata=file_metadata())
    return made


def same(found: Counted, log: pl.LazyFrame) -> bool:
    """It is what counting the whole log at once gives."""
    whole = count_log(cube.needed(log), "UTC")
    return found.leaders == whole.leaders and all(
        a.select(b.columns).sort(b.columns).rows() == b.sort(b.columns).rows()
        for a, b in (
            (found.sums.drop("spend_usd", "untagged_usd"),
             whole.sums.drop("spend_usd", "untagged_usd")),
            (found.bins, whole.bins),
            (found.exact, whole.exact),
        )
    )  # fmt: skip


def test_days_add_up_to_the_whole_log(lab, log):
    """Over midnight, and when other features begin to lead."""
    first = [{"feature": f"f{i % 15}", "outcome": "timeout"} for i in range(40)]
    more = [{"feature": f"g{i}", "output_tokens": 10**6} for i in range(12)]
    add(lab, log(*first), 1)
    follower = Follower(lab.root)

    counted, _ = follower.read()
    assert same(counted, log(*first))

    add(lab, log(*more), 2)
    counted, _ = follower.read()
    both = pl.concat([log(*first).collect(), log(*more).collect()]).lazy()
    assert same(counted, both)


def test_percentiles_are_exact_as_long_as_there_is_room(lab, log, monkeypatch):
    """Above, they are taken from bins, and no duration is kept."""
    add(lab, log(*[{}] * 40), 1)
    follower = Follower(lab.root)
    assert follower.read()[0].exact is not None

    monkeypatch.setattr(following, "MOST_EXACT_ROWS", 20)
    add(lab, log({"started_at": START + timedelta(hours=50)}), 2)

    assert follower.read()[0].exact is None
    assert sum(day.timed.height for day in follower._days.values()) == 0
    add(lab, log({"started_at": START + timedelta(hours=80)}), 3)
    assert follower.read()[0].exact is None


def test_any_column_is_followed_in_the_place_of_the_features(lab, log):
    """What is missing has its name, over all days."""
    add(lab, log({"client": "codex"}, {"feature": "x"}), 1)
    add(lab, log({"client": "codex"}), 2)

    counted, _ = Follower(lab.root, by="client").read()

    requests = counted.ranked.group_by("feature").agg(pl.col("requests").sum())
    assert sorted(requests.rows()) == [("codex", 2), ("no client", 1)]


def test_only_days_that_changed_are_read_again(lab, log, monkeypatch):
    """Nothing new: nothing is read. One new part: its day is."""
    add(lab, log(*[{}] * 60), 1)
    follower = Follower(lab.root)
    follower.read()
    read = []
    count = Follower._count
    monkeypatch.setattr(
        Follower, "_count", lambda self, day, files: (read.append(day),
                                                      count(self, day, files))[1],
    )  # fmt: skip

    assert follower.read() is None
    assert read == []

    late = START + timedelta(hours=50)
    add(lab, log({"started_at": late}), 2)
    counted, _ = follower.read()

    assert read == [late.date()]
    assert counted.sums["requests"].sum() == 61


def test_the_journals_tail_is_there_before_it_is_sealed(lab, event):
    """A lab without a request is empty, and then is not."""
    follower = Follower(lab.root)
    counted, lost = follower.read()
    assert (counted.sums.height, counted.first_at, lost) == (0, None, Losses())
    journal = JournalWriter(lab)

    for n in (1, 2):
        journal.append([event(n, {})])
        counted, _ = follower.read()
        assert counted.sums["requests"].sum() == n

    journal.close()
    assert follower.read() is None


def test_a_removed_day_is_gone(lab, log):
    """As retention removes it."""
    parts = add(lab, log({}, {"started_at": START + timedelta(days=3)}), 1)
    follower = Follower(lab.root)
    follower.read()

    first = min(parts)
    first.unlink()
    first.parent.rmdir()
    counted, _ = follower.read()

    assert counted.sums["requests"].sum() == 1


def test_dropped_events_alone_are_news(lab, log):
    """The banner must not wait for the next request."""
    add(lab, log({}), 1)
    follower = Follower(lab.root)
    follower.read()

    write_losses(lab, "a1", 3)

    found = follower.read()
    assert found is not None and found[1].dropped == 3


@pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")
def test_a_damaged_batch_is_told_with_the_rows_around_it(lab, event):
    """While its writer lives; and no more than once when it is sealed."""
    journal = JournalWriter(lab)
    for n in (1, 2):
        journal.append([event(n, {})])
    [segment] = lab.segments()
    with segment.open("r+b") as file:
        file.seek(60)
        file.write(b"??")
    follower = Follower(lab.root)

    counted, lost = follower.read()
    journal.close()
    seal(lab)
    after, still = follower.read()

    assert lost == still
    assert (lost.unread.batches, lost.unread.events) == (1, 1)
    assert counted.sums["requests"].sum() == after.sums["requests"].sum() == 1


def test_no_folder_is_an_error(tmp_path):
    """And says so at once."""
    with pytest.raises(LabError, match="no folder"):
        Follower(tmp_path / "none")


def test_prices_of_the_folder_are_used(lab, log):
    """As `scan` uses them."""
    add(lab, log({"model_actual": "ours", "provider": "local"}), 1)
    (lab.root / "prices.toml").write_text(
        '[[price]]\nmodel = "ours"\n'
        "input_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\n"
    )

    counted, _ = Follower(lab.root).read()

    assert counted.sums["spend_usd"].sum() == pytest.approx(0.002)
