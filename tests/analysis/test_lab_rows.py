"""The rows of a lab folder, priced."""

from datetime import UTC, datetime
from itertools import product

from lectr_lab.analysis.lab_rows import counted_log, lab_rows
from lectr_lab.log import scan as log_scan
from lectr_lab.log.schema import frame

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_rows_are_those_of_the_folder_with_costs(tmp_path, event):
    """Of all days, or of one."""
    for day in (2, 3):
        part = tmp_path / "log" / f"date=2026-11-0{day}" / "part.parquet"
        part.parent.mkdir(parents=True)
        frame([event(started_at=NOON.replace(day=day))]).write_parquet(part)

    assert lab_rows(tmp_path, ()).collect()["cost_usd"].to_list() == [0.00045] * 2
    assert lab_rows(tmp_path, (), NOON.date()).collect().height == 1


def test_what_others_teach_of_a_row_is_counted_once(tmp_path, event):
    """A stream that said nothing has an estimate; no row comes twice."""
    silent = {"stream": True, "input_tokens": None, "output_tokens": None}
    silent |= {"token_source": "absent", "cache_read_tokens": None}
    told = {"prompt_chars": 400, "output_chars": 200}
    part = tmp_path / "log" / "date=2026-11-02" / "part.parquet"
    part.parent.mkdir(parents=True)
    events = [event(**told) for _ in range(3)] + [event(**told, **silent)]
    frame(events).write_parquet(part)

    found = counted_log(log_scan.scan(tmp_path)).collect()

    assert found["token_source"].sort().to_list() == ["provider"] * 3 + ["ratio"]


KINDS = {
    "operation": ["chat", "responses", "other"],
    "path": ["/v1/chat/completions", "/v1/responses/*"],
    "stream": [True, False],
    "input_tokens": [None, 1000],
    "provider_response_id": [None, "resp_1"],
}


def test_each_row_comes_once_whatever_it_may_be(event, log_of):
    """Silent, fetched, both or neither: each is parted from the log in one way."""
    kinds = [dict(zip(KINDS, kind, strict=True)) for kind in product(*KINDS.values())]
    ids = [i.to_bytes(16, "big") for i in range(len(kinds))]
    events = [event(event_id=i, **kind) for i, kind in zip(ids, kinds, strict=True)]

    found = counted_log(log_of(events)).collect()

    assert found["event_id"].sort().to_list() == ids
