"""Bounds of all workers together."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.config.settings import OrgSettings, Settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.workers.shares import share_of


@given(
    workers=st.integers(1, 9),
    connections=st.integers(9, 99),
    idle=st.integers(9, 99),
    bodies=st.integers(9, 9_999),
    calls=st.integers(1, 99),
)
def test_shares_add_up_to_the_whole(workers, connections, idle, bodies, calls):
    """Of what a process counts alone; none has nothing but shadows."""
    limits = LimitSettings(
        connections=connections, idle_connections=idle, bodies_in_flight_bytes=bodies
    )
    shadow = ShadowSettings(model="m", provider="groq", share=0.5, calls_per_day=calls)
    whole = Settings(workers=workers, limits=limits, shadow=shadow)
    shares = [share_of(whole, slot) for slot in range(workers)]

    assert sum(one.limits.connections or 0 for one in shares) == connections
    assert sum(one.limits.idle_connections or 0 for one in shares) == idle
    assert sum(one.limits.bodies_in_flight_bytes or 0 for one in shares) == bodies
    assert sum(one.shadow.calls_per_day for one in shares if one.shadow) == calls
    assert min(one.limits.connections or 0 for one in shares) >= 1


def test_what_is_counted_together_stays_as_it_is():
    """Limits of an organisation, and what has no bound."""
    acme = OrgSettings(requests_per_minute=3, concurrent_streams=2)
    share = share_of(Settings(workers=2, orgs={"acme": acme}), 1)

    assert share.orgs == {"acme": acme}
    assert (share.limits.connections, share.shadow) == (None, None)
    assert share.limits.bodies_in_flight_bytes
