"""Where days of a log are looked at: here, or by the processes of a cluster.

    with lectr.cluster("tcp://scheduler:8786"):
        lectr.spend(log)         # days without cells are counted there
        log.map(my_question)     # asked there, day by day

What is sent is the path of a file and what to do with it; what comes back is small. So a
worker needs the memory of one file, and must see the folder as this process does.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any, TypeVar

from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name
from lectr_lab.waiting import waiting

_T = TypeVar("_T")
_RETRIES = 3
"""How often a task of a worker that died is given to another."""

_CONNECT_S = 5
_LETTERS = 200
_EXTRA = "This needs Dask: pip install 'lectr-lab[cluster]'."
_IN_FORCE: ContextVar[Executor | None] = ContextVar("cluster", default=None)


@contextmanager
def cluster(on: str | Executor) -> Iterator[Executor]:
    """Count days, and ask questions of a day, on many processes; the figures are the same.

    Args:
        on: the address of a Dask scheduler, such as "tcp://scheduler:8786", or any
            executor of `concurrent.futures`. Its processes see the lab folder at the same
            path, and have the same lectr_lab, polars and Python. Start Dask's workers
            with one thread and POLARS_MAX_THREADS=1 each.

    Yields:
        The executor. One that was given is not shut down.

    Raises:
        LabError: there is no scheduler at that address, it has no worker, or one of them
            has another version of what counts.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import polars as pl
    >>> import lectr_lab as lectr
    >>> with ThreadPoolExecutor(2) as two, lectr.cluster(two):
    ...     days = lectr.demo_log().map(lambda day: day.select(pl.len()).collect().item())
    >>> sum(days)
    16222
    """
    if isinstance(on, Executor):
        with _in_force(on):
            _compare({"a worker": on.submit(versions).result()})
            yield on
        return
    with _dask(on) as executor, _in_force(executor):
        yield executor


def each(
    f: Callable[..., _T],
    *given: Sequence[Any],
    executor: Executor | None = None,
    what: str = "Asking each day",
) -> list[_T]:
    """What a function says of each: on the cluster in force, or here, one by one.

    Args:
        f: what is asked; of other processes it is pickled, as is what it returns.
        given: its arguments, as `map` takes them.
        executor: this one in place of the cluster.
        what: is being done, for who waits.
    """
    where = executor or _IN_FORCE.get()
    total = len(given[0])
    said: list[_T] = []
    with waiting(what) as step:
        for one in (map if where is None else where.map)(f, *given):
            said.append(one)
            step(len(said), total)
    return said


def is_elsewhere() -> bool:
    """A cluster is in force."""
    return _IN_FORCE.get() is not None


def versions() -> dict[str, str]:
    """What decides how a log is counted, and by what what is sent can be read."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {
        "lectr-lab": version("lectr-lab"),
        "polars": version("polars"),
        "genai-prices": version("genai-prices"),
        "python": python,
    }


@contextmanager
def _in_force(executor: Executor) -> Iterator[None]:
    token = _IN_FORCE.set(executor)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise LabError(_EXTRA) from None
    shown = name(address, _LETTERS)
    client: Any
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as error:
        why = name(str(error).partition("\n")[0] or type(error).__name__, _LETTERS)
        raise LabError(
            f"There is no Dask scheduler at {shown}: {why}. Start one with "
            "`dask scheduler`, and workers with `dask worker <its address>`."
        ) from None
    try:
        _compare(_theirs(client, shown))
        yield client.get_executor(retries=_RETRIES)
    finally:
        client.close()


def _theirs(client: Any, shown: str) -> dict[str, dict[str, str]]:
    """The versions of the scheduler, which reads what is sent, and of each worker."""
    try:
        workers = client.run(versions)
        scheduler = client.run_on_scheduler(versions)
    except Exception as error:  # noqa: BLE001 - whatever its processes lack
        lacks = name(str(error).partition("\n")[0], _LETTERS)
        raise LabError(
            f"The processes of {shown} cannot read what is sent: {lacks}. Install "
            f"lectr-lab {version('lectr-lab')} with the extra cluster on all of them."
        ) from None
    if not workers:
        raise LabError(
            f"The scheduler at {shown} has no worker. Start one with "
            f"`POLARS_MAX_THREADS=1 dask worker {shown} --nthreads 1`."
        )
    return {"the scheduler": scheduler, **workers}


def _compare(theirs: dict[str, dict[str, str]]) -> None:
    """Whoever counts otherwise would give other figures.

    >>> _compare({"w1": versions() | {"polars": "0.1"}})
    Traceback (most recent call last):
    lectr_lab.core.errors.LabError: w1 has polars 0.1, ...
    """
    own = versions()
    for who, has in theirs.items():
        for what, is_own in own.items():
            if has.get(what) != is_own:
                raise LabError(
                    f"{who} has {what} {has.get(what)}, and this process {is_own}: "
                    "figures could differ. Install the same version on both."
                )
