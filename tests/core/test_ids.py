"""Ids of our own."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.ids import event_id


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_an_event_id_is_a_uuid_version_7(unix_ms, bits):
    """Version and variant are RFC 9562's, and the time can be read back."""
    made = uuid.UUID(bytes=event_id(unix_ms, bits))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms
