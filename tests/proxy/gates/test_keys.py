"""Keys that were disabled."""

from datetime import UTC, datetime

from lectr_lab.core import error_responses
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.proxy.gates.keys import EnabledKeys


def exchange(disabled_at=None) -> Exchange:
    now = datetime.now(UTC)
    return Exchange(
        event_id=b"e" * 16,
        started_at=now,
        started_s=0.0,
        raw_path=b"/v1/models",
        client_headers=ClientHeaders(),
        key=KeyEntry(
            key_id="k", org="acme", digest="", created_at=now, disabled_at=disabled_at
        ),
    )


def test_a_disabled_key_opens_nothing():
    """And an enabled one does."""
    gate = EnabledKeys()

    assert gate.admit(exchange()) is None
    assert gate.admit(exchange(datetime.now(UTC))) == error_responses.ORG_DISABLED
