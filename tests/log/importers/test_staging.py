"""Rows set aside: found again by their keys, in little memory."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.log.importers import staging
from lectr_lab.log.importers.staging import KEYS, Staging, Told, as_frame
from lectr_lab.log.schema import polars_schema

AT = datetime(2026, 11, 24, tzinfo=UTC)


def event(number: int, **more):
    return {
        "event_id": bytes(6) + number.to_bytes(10),
        "started_at": AT + timedelta(hours=number),
        "output_tokens": number,
        **more,
    }


@pytest.fixture
def small_batches(monkeypatch):
    """So that several files are written."""
    monkeypatch.setattr(staging, "ROWS_AT_ONCE", 10)


def test_rows_come_back_by_their_keys(tmp_path, small_batches):
    """Whatever file they are in."""
    staged = Staging(tmp_path)
    for number in range(60):
        staged.add(event(number), Told())

    keys = staged.keys()
    odd = keys.filter(pl.col("output") % 2 == 1)
    rows = pl.concat(list(staged.rows(odd)))

    assert keys.schema == KEYS
    assert len(list(tmp_path.iterdir())) > 6
    assert sorted(rows["output_tokens"]) == list(range(1, 60, 2))
    assert rows.schema == polars_schema()


def test_a_fingerprint_is_of_all_but_the_id(tmp_path):
    """And of the provider's id of the request, which compaction drops."""
    staged = Staging(tmp_path)
    first = event(1)
    alike = first | {"event_id": bytes(15) + b"x", "provider_request_id": "r"}
    other = first | {"input_tokens": 3}
    for one in (first, alike, other):
        staged.add(one, Told())

    prints = staged.keys()["fingerprint"]

    assert prints[0] == prints[1] != prints[2]


def test_a_short_id_of_a_reply_tells_nothing(tmp_path):
    """Nor does that of a row that was ours: it is known by its own."""
    staged = Staging(tmp_path)
    long = {"provider_response_id": "chatcmpl-0001"}
    staged.add(event(1, **long), Told(alias=b"a"))
    staged.add(event(2, provider_response_id="1"), Told())
    staged.add(event(3, **long), Told(is_own=True))

    keys = staged.keys()

    assert keys["response"].to_list() == ["chatcmpl-0001", None, None]
    assert keys["alias"].to_list() == [b"a", None, None]


def test_the_id_of_a_request_is_one_with_how_much_was_answered(tmp_path):
    """A gateway may give it to several."""
    staged = Staging(tmp_path)
    for number in (1, 2, 2):
        staged.add(event(number, provider_request_id="req_00000001"), Told())

    first, second, third = staged.keys()["request"]

    assert first != second == third


def test_nothing_is_a_frame_too(tmp_path):
    """With the columns of the log."""
    assert Staging(tmp_path).keys().height == 0
    assert as_frame((event(1),)).schema == polars_schema()
