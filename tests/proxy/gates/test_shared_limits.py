"""An organisation's limits, where several processes count."""

import secrets
from datetime import UTC, datetime

from lectr_lab.config.settings import OrgSettings
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.proxy.gates.gate import Gates
from lectr_lab.proxy.gates.limits import limits
from lectr_lab.proxy.gates.shared_limits import made

BOTH = OrgSettings(requests_per_minute=3, concurrent_streams=2)


def exchange(org="acme", *, stream: bool | None = True) -> Exchange:
    """A request as gates see it."""
    one = Exchange(
        event_id=secrets.token_bytes(16),
        started_at=datetime.now(UTC),
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=KeyEntry(key_id="k", org=org, digest="", created_at=datetime.now(UTC)),
    )
    one.received(RequestFacts(stream=stream), 0, 0.0)
    return one


def gates(state, now_s=lambda: 100.0, **orgs) -> Gates:
    """One process's."""
    return Gates(*limits(orgs or {"acme": BOTH}, now_s, state))


def test_two_processes_count_together(tmp_path):
    """Requests and streams; and refuse as one process does."""
    one, other = gates(tmp_path), gates(tmp_path)
    first, second = exchange(), exchange()

    assert [g.admit_head(exchange()) for g in (one, other, one)] == [None] * 3
    refused = other.admit_head(exchange())
    assert refused is not None
    assert (refused.code, refused.retry_after_s) == ("rate_limit_exceeded", 60)
    assert [one.admit(first), other.admit(second)] == [None, None]
    refused = one.admit(exchange())
    assert refused is not None
    assert (refused.code, refused.retry_after_s) == ("concurrent_streams_exceeded", 1)
    one.ended(second.ended("ok", 1.0))
    assert one.admit(exchange()) is not None, "it was not its own to give back"
    other.ended(second.ended("ok", 1.0))
    assert one.admit(exchange()) is None


def test_organisations_and_requests_that_have_no_limit_are_not_counted(tmp_path):
    """Names that differ in case alone are two; a request that is no stream needs no
    place."""
    both = gates(tmp_path, acme=BOTH, Acme=BOTH)

    for _ in range(3):
        assert both.admit_head(exchange()) is None
    assert both.admit_head(exchange()) is not None
    assert both.admit_head(exchange("Acme")) is None
    for _ in range(9):
        assert both.admit_head(exchange("other")) is None
        assert both.admit(exchange(stream=None)) is None


def test_no_name_of_an_organisation_is_a_files(tmp_path):
    """It could be any path."""
    gates(tmp_path, **{"../acme": BOTH})

    names = [path.name for path in (tmp_path / "limits").iterdir()]
    assert len(names) == 3
    assert not [name for name in names if "acme" in name]
    assert [path.name for path in tmp_path.iterdir()] == ["limits"]
    assert {path.stat().st_mode & 0o777 for path in made(tmp_path).iterdir()} == {0o600}


def test_where_nothing_can_be_shared_each_counts_alone(tmp_path, capsys):
    """That is said, and no request is refused for it."""
    (tmp_path / "limits").write_text("in the way")
    own = gates(tmp_path)

    assert "limits hold for each worker alone" in capsys.readouterr().err
    assert [own.admit_head(exchange()) is None for _ in range(4)] == [True] * 3 + [
        False
    ]
    assert own.admit(exchange()) is None
