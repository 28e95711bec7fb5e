"""What /health says."""

import time

import httpx

from lectr_lab.lab import build
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.keys import create_key
from lectr_lab.proxy.health import Callers
from lectr_lab.proxy.serve import in_thread
from lectr_lab.proxy.settings import Settings


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
