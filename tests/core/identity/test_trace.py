"""The trace of a request: valid by the standard, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.identity.trace import trace_id

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"


def of(*values: str) -> str | None:
    return trace_id([(b"traceparent", value.encode()) for value in values])


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        f" {GOOD}\t",
        f"00-{TRACE}-{PARENT}-ff",
        f"cc-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
    ],
)
def test_a_valid_header_names_its_trace(value):
    """Of a version to come, what stands before its own additions."""
    assert of(value) == TRACE


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        (GOOD, GOOD),
        (GOOD.upper(),),
        (GOOD + "-x",),
        (GOOD + "."),
        (GOOD[1:],),
        (f"ff-{TRACE}-{PARENT}-01",),
        (f"00-{'0' * 32}-{PARENT}-01",),
        (f"00-{TRACE}-{'0' * 16}-01",),
        (f"00-{TRACE[:-1]}g-{PARENT}-01",),
        (f"00-{TRACE}-{PARENT}-1",),
        (f"00-{TRACE}-{PARENT}",),
        (f"cc-{TRACE}-{PARENT}-01.x",),
        (f"00_{TRACE}_{PARENT}_01",),
    ],
)
def test_an_invalid_one_names_none(values):
    """As the standard has it: too many, zeros, other letters, another form."""
    assert of(*values) is None


hexadecimal = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(hexadecimal, st.text(max_size=70))
def test_whatever_is_told_has_32_digits_and_is_not_zero(digits, text):
    """Of anything that may be sent."""
    for value in (f"00-{digits}-{PARENT}-00", text):
        told = trace_id([(b"traceparent", value.encode())])
        assert told is None or (len(told) == 32 and int(told, 16))
    assert int(digits, 16) == 0 or of(f"00-{digits}-{PARENT}-00") == digits
