"""The laws once all is over: secrets, memory, and sums of the log."""

import polars as pl
import pytest

from soak.ledger import Life
from soak.replies import MARK
from soak.verdict import laws_of_lives, laws_of_secrets


@pytest.mark.parametrize(
    "plant",
    [
        lambda folder: (folder / MARK).touch(),
        lambda folder: (folder / "proxy.out").write_text(f"… {MARK} …"),
        lambda folder: pl.DataFrame({"a": [None, f"x{MARK}"]}).write_parquet(
            folder / "a.parquet"
        ),
        lambda folder: (folder / "b").write_text("lc_key_planted"),
    ],
    ids=["name", "text", "parquet", "key"],
)
def test_a_secret_is_found_wherever_it_lies(tmp_path, plant):
    """In a name, in text, in a compressed column; a prompt or a key."""
    pl.DataFrame({"a": ["harmless"], "n": [1]}).write_parquet(tmp_path / "c.parquet")
    [clean] = laws_of_secrets(tmp_path, ["lc_key_planted"])
    plant(tmp_path)
    [found] = laws_of_secrets(tmp_path, ["lc_key_planted"])

    assert clean.holds
    assert not found.holds


def test_growth_breaks_a_law():
    """Of memory, of open files; and an internal error of any life."""
    life = Life("steady", "main", 1, 1, 0.0)
    life.samples = [(80.0, 20)] * 30
    flat = laws_of_lives([life], life)
    life.samples = [(80.0 + 10 * i, 20 + 20 * i) for i in range(30)]
    life.internal_errors = 1
    grown = laws_of_lives([life], life)

    assert [figure.holds for figure in flat] == [True] * 3
    assert [figure.holds for figure in grown] == [False] * 3
