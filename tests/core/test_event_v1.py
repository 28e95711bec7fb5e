"""Version 1 is what journals of its time hold: its order never changes."""

import hashlib

from lectr_lab.core.event import Event
from lectr_lab.core.event_v1 import EventV1


def test_its_fields_stand_as_they_did():
    """An array of theirs is read by place, so nothing may move, leave or come between."""
    names = EventV1.__struct_fields__

    assert (len(names), names[0], names[-1]) == (64, "event_id", "provider_requested")
    assert (
        hashlib.sha256(" ".join(names).encode()).hexdigest()[:16] == "cbafbeaa024a8cd6"
    )
    assert Event.__struct_fields__[: len(names)] == names
