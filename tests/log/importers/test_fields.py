"""What an import may carry over: what the column is for, or nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import columns
from lectr_lab.log.importers.fields import fitted

AT = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)
COLUMNS = {c.name: c.python_type for c in columns()}
anything = st.one_of(
    st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.binary()
)


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-24T12:00:00.123456Z",
        "2026-11-24 13:00:00.123456+01:00",
        "2026-11-24 12:00:00.123456",
        AT,
        AT.replace(tzinfo=None),
        AT.timestamp(),
        "1795521600123456",
        "1795521600123456000",
        1795521600123456000,
    ],
)
def test_a_time_is_read_in_every_form(said):
    """ISO, or a number since 1970 of the size that seconds, ms, µs or ns have."""
    assert fitted("started_at", said) == AT


@pytest.mark.parametrize(
    ("column", "value", "fits"),
    [
        ("input_tokens", "12", 12),
        ("input_tokens", 12.0, 12),
        ("input_tokens", -1, None),
        ("input_tokens", 1.5, None),
        ("input_tokens", 1e300, None),
        ("total_ms", "nan", None),
        ("total_ms", "1.5", 1.5),
        ("stream", "True", True),
        ("stream", "maybe", None),
        ("outcome", "fine", None),
        ("feature", "my feature", "my feature"),
        ("feature", "x" * 101, None),
        ("feature", "a\nb", None),
        ("feature", " faq ", "faq"),
        ("feature", "  ", None),
        ("task", " Reasoning ", "reasoning"),
        ("task", "Other", "Other"),
        ("model_requested", "azure/gpt-4o@2024", "azure/gpt-4o@2024"),
        ("model_requested", "Dear John, I write to you", None),
        ("event_id", b"0" * 16, None),
        ("started_at", "yesterday", None),
        ("started_at", 1e300, None),
    ],
)
def test_a_value_fits_or_is_null(column, value, fits):
    """Counts are counts, names are short, words are the column's own."""
    assert fitted(column, value) == fits


@given(column=st.sampled_from(sorted(COLUMNS)), value=anything)
def test_what_fits_has_the_columns_type(column, value):
    """Whatever comes in."""
    found = fitted(column, value)

    assert found is None or type(found) is COLUMNS[column]
