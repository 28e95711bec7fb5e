"""What /health says."""

import time
from datetime import date

import httpx
import pytest

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.launch import build
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.key_file import create_key
from lectr_lab.log.losses import losses, note_unread
from lectr_lab.log.scan import scan
from lectr_lab.proxy.health import Callers
from lectr_lab.proxy.server.run import in_thread


def test_unknown_callers_are_counted_by_the_minute():
    """For an hour; nothing of them but the count."""
    clock_s = 0.0
    callers = Callers(lambda: clock_s)
    for clock_s in (0.0, 30.0, 61.0, 3599.0, 3600.0):  # noqa: B007
        callers.count_unknown()

    assert callers.unknown == 5
    assert callers.unknown_per_minute() == {
        "1970-01-01T00:01Z": 1,
        "1970-01-01T00:59Z": 1,
        "1970-01-01T01:00Z": 1,
    }


def test_a_year_of_unknown_callers_takes_no_more_room():
    """Sixty minutes are kept."""
    clock_s = 0.0
    callers = Callers(lambda: clock_s)
    for minute in range(10_000):
        clock_s = minute * 60.0
        callers.count_unknown()

    assert len(callers.unknown_per_minute()) == 60
    assert callers.unknown == 10_000


def test_nothing_of_an_unknown_caller_is_kept(proxy):
    """Not the key tried, not the path, not the feature."""
    marked = {"X-Lectr-Key": "lc_key_MARKED", "X-Lectr-Feature": "MARKED"}
    for _ in range(3):
        httpx.post(f"{proxy.url}/v1/MARKED", headers=marked)

    health = httpx.get(f"{proxy.url}/health")

    assert sum(health.json()["unknown_callers_per_minute"].values()) == 3
    assert health.json()["warnings"] == []
    assert "MARKED" not in health.text
    proxy.events(0)


def test_why_every_key_is_refused_is_told(tmp_path, capfd):
    """At the start and in /health: no key, or a key file that cannot be read."""
    lab = LabFolder.create(tmp_path / "lab")
    with in_thread(build(Settings(lab=str(lab.root)))) as url:
        none = httpx.get(f"{url}/health")
        create_key(lab, "acme")
        time.sleep(0.3)
        one = httpx.get(f"{url}/health").json()["warnings"]
    (lab.state / "keys.json").write_text("{")
    at_first = capfd.readouterr().err
    with in_thread(build(Settings(lab=str(lab.root)))) as url:
        broken = httpx.get(f"{url}/health").json()["warnings"]

    assert "`lectr-lab keys create`" in none.json()["warnings"][0]
    assert "`lectr-lab keys create`" in at_first
    assert str(tmp_path) not in none.text  # whoever can reach the port can read it
    assert one == []
    assert "state/keys.json is not a key file any more" in broken[0]
    assert "not a key file any more" in capfd.readouterr().err


def test_what_the_log_lacks_is_warned_of(tmp_path):
    """What sealers could not read of the folder's journal, without a path."""
    lab = LabFolder.create(tmp_path / "lab")
    create_key(lab, "acme")
    with in_thread(build(Settings(lab=str(lab.root)))) as url:
        whole = httpx.get(f"{url}/health").json()
    note_unread(lab, lab.segment(date(2026, 11, 24), "a" * 32), Unread(1, 3400, 20))
    with in_thread(build(Settings(lab=str(lab.root)))) as url:
        reply = httpx.get(f"{url}/health")

    assert (whole["unread"], whole["warnings"]) == (Unread()._asdict(), [])
    assert reply.json()["unread"] == Unread(1, 3400, 20)._asdict()
    [warning] = reply.json()["warnings"]
    assert "Log incomplete: 1 batch (3,400 bytes, at least 20 events)" in warning
    assert str(tmp_path) not in reply.text


@pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")
def test_a_flipped_bit_in_a_live_journal_hides_one_batch_and_stays_said(
    provider, tmp_path
):
    """The requests before and after it are rows; the loss outlives proxy and sealing."""
    lab = LabFolder.create(tmp_path / "lab")
    headers = {"X-Lectr-Key": create_key(lab, "acme")[1], "Authorization": "Bearer x"}
    openai = ProviderSettings(base_url=f"{provider.url}/openai/v1")
    settings = Settings(lab=str(lab.root), providers={"openai": openai})
    with in_thread(build(settings)) as url:
        for n in range(1, 6):
            body = {"model": f"model-{n}"}
            httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers)
            wait_for_rows(lab, n)  # so that each is a batch
        [segment] = lab.segments()
        data = bytearray(segment.read_bytes())
        data[data.index(b"model-2")] ^= 1
        segment.write_bytes(data)
        rows = wait_for_rows(lab, 4)
        alive = losses(lab)
    with in_thread(build(settings)) as url:
        warnings = httpx.get(f"{url}/health").json()["warnings"]
        sealed = wait_for_rows(lab, 4)

    assert rows == sealed == [f"model-{n}" for n in (1, 3, 4, 5)]
    assert (alive.unread.batches, alive.unread.events) == (1, 1)
    assert losses(lab) == alive
    assert "Log incomplete: 1 batch (" in warnings[0]


def wait_for_rows(lab: LabFolder, count: int) -> list[str]:
    """The models asked for, oldest first."""
    deadline = time.monotonic() + 10
    while True:
        rows = scan(lab.root).sort("started_at").collect()["model_requested"].to_list()
        if len(rows) == count:
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.02)
