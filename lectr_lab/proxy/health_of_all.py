"""What /health says where several workers answer at one port: sums, and each by itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lectr_lab.proxy.health import merged
from lectr_lab.proxy.shared.messages import OneHealth
from lectr_lab.proxy.shared.port import Port

_SHARED = frozenset({"budgets", "unread", "in_force"})
"""What each worker says of something that they have in common."""
_WORSE = {"writer": "failing"}
_OWN = ("in_flight", "queue_depth", "writer", "events", "internal_errors")


async def told_by_all(
    told: Callable[[], Sequence[Mapping[str, Any]]], port: Port | None
) -> Iterable[Mapping[str, Any]]:
    """What all parts of all workers say, as `health` takes it.

    Args:
        told: what this process's parts say.
        port: the other workers; None: there are none.
    """
    if port is None:
        return told()
    all_of_them = await port.health()
    if all_of_them is None:
        return [*told(), {"warnings": ["The other workers could not be asked."]}]
    whole = of_all(all_of_them.workers, all_of_them.restarts)
    remembered = {"remembered_bytes": all_of_them.remembered_bytes}
    return [whole | {"prefixes": whole.get("prefixes", {}) | remembered}]


def of_all(workers: Sequence[OneHealth], restarts: int = 0) -> dict[str, Any]:
    """One report of all workers.

    Args:
        workers: how each is.
        restarts: how often one ended by itself and another took its place.

    >>> one = OneHealth(1, "", False, {"in_flight": 2, "events": {"dropped": 1}})
    >>> other = OneHealth(2, "", True, {"in_flight": 3, "events": {"dropped": 0}})
    >>> said = of_all([one, other])
    >>> said["in_flight"], said["events"], len(said["workers"])
    (5, {'dropped': 1}, 2)
    """
    whole: dict[str, Any] = {}
    for one in workers:
        whole = added(whole, one.health or {})
    silent = sum(one.health is None for one in workers)
    if silent:
        said = f"{silent} of {len(workers)} workers did not say how they are."
        whole = merged([whole, {"warnings": [said]}])
    listed = [_listed(one) for one in workers]
    return whole | {"workers": listed, "restarts": restarts}


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two reports in one: numbers are added, sentences are told once."""
    names = [*one, *(name for name in other if name not in one)]
    return {
        name: _added(name, one[name], other[name])
        if name in one and name in other
        else one.get(name, other.get(name))
        for name in names
    }


def _added(name: str, one: Any, other: Any) -> Any:
    if name in _SHARED or one is None or other is None:
        return other if one is None else one
    if name in _WORSE:
        return _WORSE[name] if _WORSE[name] in (one, other) else one
    if isinstance(one, bool) or isinstance(other, bool):
        return one or other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one + other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return added(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return [*one, *(value for value in other if value not in one)]
    return one


def _listed(one: OneHealth) -> dict[str, Any]:
    status = "retiring" if one.retiring else "ok"
    about: dict[str, Any] = {"pid": one.pid, "started_at": one.started_at}
    health = one.health
    if health is None:
        return about | {"status": "silent"}
    return (
        about
        | {"status": status}
        | {name: health[name] for name in _OWN if name in health}
    )
