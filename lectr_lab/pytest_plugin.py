"""The door for tests: a fixture with a running proxy that answers from a cassette.

    @pytest.mark.lectr("cassettes/chat.yaml")  # or nothing: a file named after the test
    def test_a_chat_is_cheap(lectr):
        answer = my_app.chat("hello")  # its SDK clients find the proxy by themselves
        lectr.assert_budget(usd_per_call=0.002)

`--record-mode` is pytest-recording's, and its option where that plugin is installed.
"""

import os
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lectr_lab.core.errors import LabError, MissingExtra, ProxyError

if TYPE_CHECKING:  # every run of pytest loads this module: it must cost nothing
    from lectr_lab.testing.recorded_proxy import RecordedProxy

MODES = ("none", "once", "new_episodes", "all", "rewrite")
_OPTIONS = ("upstream", "ignore", "in_order", "scrub", "prices")
# freezegun puts a fake in the place of every module's `datetime`, which polars takes for
# another type of column (polars#26698). A decorator reads this list when it is written.
_NEVER_FROZEN = ["lectr_lab", "polars"]
_NOT_IN_A_NAME = str.maketrans(dict.fromkeys("<>?%*:|\"'/\\", "-"))
_MARKER = (
    "lectr(cassette, upstream=, ignore=, in_order=, scrub=, prices=): the recording "
    "that the lectr fixture plays, beside the test's file where it is relative."
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: Any) -> None:
    """`--record-mode`, unless pytest-recording defines it."""
    if _pytest_recording_comes(pluginmanager):
        return
    parser.getgroup("recording").addoption(
        "--record-mode",
        default="none",
        choices=MODES,
        help="What the lectr fixture may record: none (default), once, new_episodes, "
        "all or rewrite.",
    )


def _pytest_recording_comes(pluginmanager: Any) -> bool:
    """It is loaded, or will be: which of us comes first is not ours to say."""
    if pluginmanager.has_plugin("pytest_recording.plugin"):
        return True
    if pluginmanager.is_blocked("recording") or find_spec("pytest_recording") is None:
        return False
    return not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and leave us and polars out of frozen time."""
    config.addinivalue_line("markers", _MARKER)
    if find_spec("freezegun") is not None:
        import_module("freezegun").configure(extend_ignore_list=_NEVER_FROZEN)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load before the first test what tests of ours need, and nothing without them."""
    if any("lectr" in getattr(item, "fixturenames", ()) for item in session.items):
        with suppress(MissingExtra):  # the fixture says so
            _replay()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """What is not installed is no fault of a line of the test's: the message is all."""
    try:
        return (yield)
    except MissingExtra as error:
        pytest.fail(str(error), pytrace=False)


def _replay() -> Any:
    """`lectr_lab.replay`, with all that it will ever need loaded and read.

    Raises:
        MissingExtra: the small install is there alone.
    """
    try:
        from lectr_lab.testing.replay import replay
        from lectr_lab.testing.warm_up import warm_up
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name, "pytest") from error
    warm_up()
    return replay


@pytest.fixture
def lectr_config() -> dict[str, Any]:
    """Options for every test of a module or folder; a marker's own win."""
    return {}


@pytest.fixture
def lectr(
    request: pytest.FixtureRequest,
    lectr_config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator["RecordedProxy"]:
    """A proxy on a free port that answers from this test's cassette.

    The environment points stock SDKs at it, so clients that the program makes itself
    need no argument. Nothing but loopback can be reached, unless this run records.
    """
    replay = _replay()
    cassette, options = _wishes(request, lectr_config)
    mode = request.config.getoption("--record-mode", default="none")
    if mode == "none" and not cassette.exists():
        pytest.fail(
            f"There is no cassette at {cassette}.\nRecord it, with the provider's key "
            "in the environment: pytest --record-mode=once",
            pytrace=False,
        )
    try:
        first = _first_of_run(cassette, tmp_path_factory)
        with replay(cassette, mode, may_replace=first, **options) as proxy:
            for name, value in proxy.environment.items():
                monkeypatch.setenv(name, value)
            if proxy.live:
                yield proxy
                return
            with _loopback_only():
                yield proxy
    except MissingExtra as error:
        pytest.fail(str(MissingExtra(error.name, "pytest")), pytrace=False)
    except LabError as error:
        pytest.fail(str(error), pytrace=False)


def _wishes(
    request: pytest.FixtureRequest, config: dict[str, Any]
) -> tuple[Path, dict[str, Any]]:
    """The test's cassette and options. A relative path is one beside the test's file."""
    marker = request.node.get_closest_marker("lectr")
    options = config | (marker.kwargs if marker else {})
    named = marker.args if marker else ()
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown or len(named) > 1:
        what = ", ".join(unknown) or f"{len(named)} cassettes"
        raise pytest.UsageError(f"pytest.mark.lectr: {what}. It is {_MARKER}")
    folder = request.path.parent
    if options.get("prices"):
        options["prices"] = folder / options["prices"]
    if named:
        return folder / named[0], options
    return folder / "cassettes" / request.path.stem / _file_name(request), options


def _first_of_run(
    cassette: Path, factory: pytest.TempPathFactory
) -> Callable[[], bool]:
    """Tells the first test of this run that writes a cassette, on all workers: what was
    there before may go, what other tests of the run have recorded may not."""
    own = factory.getbasetemp()  # a worker's lies in that of the run
    run = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    name = sha256(str(cassette.resolve()).encode()).hexdigest()
    mark = run / "lectr-cassettes" / name

    def is_first() -> bool:
        mark.parent.mkdir(exist_ok=True)
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    return is_first


def _file_name(request: pytest.FixtureRequest) -> str:
    """As pytest-recording names it: `test_name.yaml`, `TestClass.test_name.yaml`."""
    name: str = request.node.name
    if request.cls is not None:
        name = f"{request.cls.__name__}.{name}"
    return f"{name.translate(_NOT_IN_A_NAME)}.yaml"


@contextmanager
def _loopback_only() -> Iterator[None]:
    """Let Python's sockets connect to this machine alone."""

    def guard(connect: Any) -> Any:
        def guarded(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                _check(address[0])
            return connect(self, address)

        return guarded

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host)
        return getaddrinfo(host, *args, **kwargs)

    getaddrinfo = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            original = getattr(socket.socket, name)
            patch.setattr(socket.socket, name, guard(original))
        patch.setattr(socket, "getaddrinfo", resolve)
        yield


def _check(host: Any) -> None:
    name = host.decode("latin-1") if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        if ip_address(name).is_loopback:
            return
    except ValueError:
        pass  # a name, which only a network could resolve
    raise ProxyError(
        f"This test would reach {name}: beside the lectr fixture only loopback is "
        "open. Point its client at the proxy, or record: pytest --record-mode=once"
    )
