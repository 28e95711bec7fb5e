"""Results of batches: their price, and the time of those that name none."""

import os
from datetime import UTC, datetime

from lectr_lab.log.importers import batches
from lectr_lab.log.importers.batches import Times, result
from lectr_lab.log.importers.fields import Choices, Imported, Left, Said

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
BODY = {"object": "chat.completion", "model": "gpt-4o", "service_tier": "default"}


def test_a_result_has_the_price_of_batches(tmp_path):
    """Whatever tier the reply says."""
    times = Times(tmp_path, Choices(at=AT))

    [item] = result("b-1", "openai", BODY | {"created": 7}, times)

    assert isinstance(item, Imported)
    assert item.facts["service_tier"] == "batch"
    assert item.facts["started_at"] == 7


def test_what_names_no_time_has_that_of_the_choice_or_the_file(tmp_path):
    """Of the file it is said."""
    file = tmp_path / "results.jsonl"
    file.touch()
    os.utime(file, (AT.timestamp(), AT.timestamp()))

    chosen = list(result("b-1", "openai", BODY, Times(tmp_path, Choices(at=AT))))
    said, item = result("b-1", "openai", BODY, Times(file, Choices()))

    assert [one.facts["started_at"] for one in chosen] == [AT]
    assert said == Said(batches.FILE_TIME)
    assert item.facts["started_at"] == AT


def test_a_body_of_no_kind_is_left_out(tmp_path):
    """And counted."""
    assert list(result("b", "openai", {}, Times(tmp_path, Choices()))) == [
        Left(batches.NO_ROW)
    ]
