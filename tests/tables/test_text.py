"""Tables in a terminal."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lectr_lab.core import formatting
from lectr_lab.tables import text_table
from lectr_lab.tables.columns import Column
from lectr_lab.tables.text import aligned

UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FIGURES = {
    "requests": [12_345],
    "spend_usd": [39.16],
    "share": [0.37],
    "p50_ms": [3200.0],
    "p95_ms": [14_400.0],
    "error_rate": [0.081],
    "unpriced": [0],
}
FIRST_TO_GO = ["unpriced", "share", "p50_ms", "error_rate", "p95_ms"]


@given(st.lists(st.text(max_size=100), min_size=1, max_size=5))
def test_no_control_character_reaches_a_terminal(texts):
    """One line a row, whatever a client sent."""
    lines = text_table(pl.DataFrame({"feature": texts})).split("\n")

    assert len(lines) == len(texts) + 1
    assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e]", x) for x in lines)


def test_columns_line_up_where_signs_are_wide():
    """Figures end in the same cell."""
    frame = pl.DataFrame({"feature": ["a", "漢字", "👍"], "requests": [1, 20, 3000]})

    widths = {cell_len(line) for line in text_table(frame).split("\n")}

    assert len(widths) == 1


def test_a_long_table_is_cut_and_a_list_is_blocks():
    """The first fifty rows; the highest block is the largest value."""
    frame = pl.DataFrame({"per_day": [[0.0, None, 4.0, 8.0]] * 60})

    text = text_table(frame)

    assert text.split("\n")[1] == "▁ ▅█"
    assert text.endswith("… and 10 more")


NAMES = st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4)


@given(features=NAMES, width=st.integers(47, 100))
def test_what_has_no_room_goes_on_in_the_next_line(features, width):
    """Nothing is lost, no line is longer, and no control character comes through."""
    models = ["gpt-4.1-mini-2025-04-14"] * len(features)
    frame = pl.DataFrame({"feature": features, "model": models, "requests": 1})

    text = text_table(frame, width=width)

    assert not UNSAFE.search(text)
    assert all(cell_len(line) <= width for line in text.split("\n"))
    for name in features:
        for letter in formatting.name(name, 80).replace(" ", ""):
            assert letter in text


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("onboarding-assistant", 12, ["onboarding-", "assistant"]),
        ("gpt-5.4-mini-2026-03-17", 20, ["gpt-5.4-", "mini-2026-03-17"]),
        ("customer_support bot", 10, ["customer_", "support", "bot"]),
        ("a b c d", 3, ["a b", "c d"]),
        ("x" * 50, 20, ["x" * 20, "x" * 20, "x" * 10]),
        ("漢字の名前はとても長いのです", 20, ["漢字の名前はとても長", "いのです"]),
    ],
)
def test_a_name_is_parted_where_a_reader_would(text, width, lines):
    """At its own marks, never within a date; an endless word where the room ends."""
    assert aligned([Column("", [text], False)], width).split("\n") == ["", *lines]


def test_a_figure_stays_whole_and_its_interval_may_go_below():
    """Flush right, both."""
    columns = [Column("saving a month", ["$19.30 [$15.79, $23.17]"], True)]

    lines = aligned(columns, 10).split("\n")

    assert [line.strip() for line in lines] == [
        "saving a month",
        "$19.30",
        "[$15.79, $23.17]",
    ]
    assert lines[1].endswith(" $19.30")
    assert len(set(map(len, lines[1:]))) == 1


@pytest.mark.parametrize(
    ("width", "names", "gone"),
    [
        (40, 1, {"unpriced", "share", "p50", "error rate", "p95"}),
        (60, 2, {"unpriced", "share", "p50", "error rate", "p95"}),
        (80, 2, {"unpriced", "share", "p50"}),
        (140, 2, set()),
    ],
)
def test_the_least_telling_figures_go_first(width, names, gone):
    """Names keep room to be read, and no figure is cut."""
    frame = pl.DataFrame({f"name{i}": ["x" * 20] for i in range(names)} | FIGURES)
    whole = text_table(frame).split("\n")[0]

    text = text_table(frame, width=width, first_to_go=FIRST_TO_GO)

    for head in ("requests", "spend", "share", "p50", "p95", "error rate", "unpriced"):
        assert head in whole
        assert (head.split()[0] in text) == (head not in gone)
    assert all(len(line) <= width for line in text.split("\n"))


def test_as_many_rows_as_are_wanted():
    """All of them, where that is said."""
    frame = pl.DataFrame({"requests": [1] * 60})

    assert len(text_table(frame, most_rows=60).split("\n")) == 61


WORDS = st.from_regex(r"[a-z]{1,14}([-_/.][a-z0-9]{1,12}){0,2}", fullmatch=True)


@given(
    rows=st.lists(st.tuples(WORDS, WORDS, st.floats(0, 1e6)), min_size=1, max_size=4),
    width=st.sampled_from([60, 80, 120]),
)
def test_no_line_is_longer_than_the_terminal_and_no_word_is_parted(rows, width):
    """What has no room is left out, the last first, and named."""
    names, models, figures = map(list, zip(*rows, strict=True))
    frame = pl.DataFrame({"feature": names, "spend_usd": figures, "model": models})
    frame = frame.with_columns(
        pl.col("spend_usd").alias(f"figure_{i}_of_many_usd") for i in range(12)
    )

    text = text_table(frame, width=width)

    assert all(cell_len(line) <= width for line in text.split("\n"))
    parts = {part for name in names for part in re.findall("[a-z0-9]+", name)}
    shown = set(re.findall("[a-z0-9]+", text))
    assert parts <= shown
    assert "No room here for: " in text and "figure 11 of many." in text.replace(
        "\n", " "
    )
