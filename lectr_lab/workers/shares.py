"""What of a proxy's bounds each of its workers may use: they are of all together."""

from typing import Any

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.proxy.server.bodies import BodiesInFlight


def share_of(settings: Settings, slot: int) -> Settings:
    """The settings of one worker.

    Limits of an organisation and budgets are counted together and stay as they are.

    Args:
        settings: of the proxy.
        slot: which worker, from 0 on.

    >>> from lectr_lab.config.limit_settings import LimitSettings
    >>> both = Settings(workers=2, limits=LimitSettings(connections=5))
    >>> [share_of(both, slot).limits.connections for slot in range(2)]
    [3, 2]
    """
    workers, limits, shadow = settings.workers, settings.limits, settings.shadow

    def share(whole: int) -> int:
        return whole // workers + (slot < whole % workers)

    bodies = BodiesInFlight(limits.bodies_in_flight_bytes).most_bytes
    own: dict[str, Any] = {"bodies_in_flight_bytes": max(1, share(bodies))}
    for name in ("connections", "idle_connections"):
        whole = getattr(limits, name)
        if whole is not None:
            own[name] = max(1, share(whole))
    if shadow is not None:
        calls = share(shadow.calls_per_day)
        shadow = msgspec.structs.replace(shadow, calls_per_day=calls)
    limits = msgspec.structs.replace(limits, **own)
    return msgspec.structs.replace(settings, limits=limits, shadow=shadow)
