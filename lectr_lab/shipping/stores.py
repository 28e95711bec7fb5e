"""An object store: S3 and its kin, Google's, Azure's, or a folder.

Errors are said in words of ours: the library's texts hold whole requests.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from lectr_lab.core.errors import ConfigError, MissingExtra, StoreError
from lectr_lab.shipping.places import Place
from lectr_lab.shipping.protocol import Object

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

T = TypeVar("T")
_OURS = re.compile(
    r"(?:fresh|log)/date=\d{4}-\d\d-\d\d/[0-9a-f-]{32,64}\.parquet"
    r"|days/date=\d{4}-\d\d-\d\d/\d{8}\.json"
    r"|cells/days/date=\d{4}-\d\d-\d\d/[0-9a-f]{32}\.[0-9a-f]{24}\.zip"
    r"|cells/months/\d{4}-\d\d/[0-9a-f]{24}\.zip"
    r"|months/\d{4}-\d\d/[0-9a-f]{32}\.json"
    r"|labs/[0-9a-f]{32}/\d{10}"
)
_DAY = re.compile(r"/date=([\d-]{10})/")
_AT_A_TIME = 16
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


def opened(where: Place, *, patient: bool = True) -> "RemoteStore":
    """The store of a place.

    Args:
        where: as `place` read it.
        patient: try again for a minute when the store is busy or away; otherwise an
            error comes within 3 seconds.

    Raises:
        MissingExtra: obstore is not installed.
        ConfigError: what the environment says cannot be used.
    """
    try:
        from obstore.store import LocalStore, from_url
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name, "ship") from error
    if where.scheme == "file":
        folder = urlsplit(where.url).path
        return RemoteStore(where, _made(lambda: LocalStore(folder, mkdir=True), where))
    options: Any = dict(where.options)
    http = options.pop("aws_allow_http", "false") == "true"
    client: ClientConfig = {"allow_http": http, "connect_timeout": "1s"}
    client["timeout"] = "60s" if patient else "1300ms"
    first, longest = timedelta(milliseconds=100), timedelta(seconds=5)
    retry: RetryConfig = {
        "max_retries": 5 if patient else 1,
        "retry_timeout": timedelta(seconds=60 if patient else 2),
        "backoff": {"init_backoff": first, "max_backoff": longest, "base": 2},
    }
    made = _made(
        lambda: from_url(
            where.url, config=options, client_options=client, retry_config=retry
        ),
        where,
    )
    return RemoteStore(where, made)


def _made(make: "Callable[[], ObjectStore]", where: Place) -> "ObjectStore":
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - each kind of credentials has its own
        reason = str(error).partition("\n")[0][:200]
        raise ConfigError(f"{where.url} cannot be opened: {reason}") from None


def check(where: Place) -> None:
    """Ask the store for one thing, to say within 3 seconds what is wrong.

    Raises:
        MissingExtra, ConfigError: as `opened`.
        StoreError: it cannot be reached, or refuses; why, and what to do.
    """
    opened(where, patient=False).ask()


class RemoteStore:
    """A `Store` at a URL."""

    def __init__(self, where: Place, store: "ObjectStore") -> None:
        self._where, self._store = where, store

    def ask(self) -> None:
        """One request.

        Raises:
            StoreError: it was not answered, or refused.
        """
        import obstore

        with contextlib.suppress(FileNotFoundError):  # of a folder that is not there
            few = obstore.list(self._store, "days/", offset="days/z")  # or none
            self._said(lambda: next(iter(few), None))

    def put_new(self, path: str, data: bytes) -> bool:
        """As `Store`. What is lost on its way back was put: a second try finds it."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        create: Literal["create"] = "create"
        try:
            self._said(
                lambda: obstore.put(
                    self._store, path, data, mode=create, use_multipart=False
                )
            )
        except AlreadyExistsError:
            return False
        except FileNotFoundError:
            raise self._no_bucket() from None
        return True

    def listed(self, prefix: str, after: str = "") -> Iterator[Object]:
        """As `Store`."""
        import obstore

        stream = obstore.list(
            self._store, prefix, offset=after or None, chunk_size=1000
        )
        batches, found = iter(stream), []
        while True:
            try:
                batch = self._said(lambda: next(batches, None))
            except FileNotFoundError:  # of a folder that is not there yet
                batch = None
            if batch is None:
                break
            found += [
                Object(o["path"], o["size"], o["last_modified"])
                for o in batch
                if _is_ours(o["path"])
            ]
        yield from sorted(found)  # a folder's come in any order

    def get(self, path: str) -> bytes:
        """As `Store`."""
        return self.get_all([path])[0]

    def get_all(self, paths: Sequence[str]) -> list[bytes]:
        """As `Store`; several at a time."""
        import obstore

        def run() -> list[bytes]:
            if len(paths) == 1:
                return [bytes(obstore.get(self._store, paths[0]).bytes())]
            return self._gathered(paths, self._one)

        return self._said(run) if paths else []

    def get_some(self, paths: Sequence[str]) -> list[bytes | None]:
        """The same; None where there is none."""

        async def one_or_none(path: str) -> bytes | None:
            with contextlib.suppress(FileNotFoundError):
                return await self._one(path)
            return None

        return self._said(lambda: self._gathered(paths, one_or_none)) if paths else []

    async def _one(self, path: str) -> bytes:
        import obstore

        got = await obstore.get_async(self._store, path)
        return bytes(await got.bytes_async())

    def _gathered(
        self, paths: Sequence[str], ask: Callable[[str], Awaitable[T]]
    ) -> list[T]:
        async def one(path: str, turn: asyncio.Semaphore) -> T:
            async with turn:
                return await ask(path)

        async def every() -> list[T]:
            turn = asyncio.Semaphore(_AT_A_TIME)
            return await asyncio.gather(*(one(path, turn) for path in paths))

        return _in_a_loop(every)

    def delete(self, path: str) -> None:
        """As `Store`."""
        import obstore

        try:
            self._said(lambda: obstore.delete(self._store, path))
        except FileNotFoundError:
            return

    def _said(self, ask: Callable[[], T]) -> T:
        """Ask; what goes wrong is said in our words."""
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            return ask()
        except AlreadyExistsError:
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._no_bucket() from None
            raise FileNotFoundError("It is not in the store.") from None
        except (BaseError, OSError, ValueError) as error:
            raise StoreError(in_words(self._where, str(error))) from None

    def _no_bucket(self) -> StoreError:
        return StoreError(in_words(self._where, "<Code>NoSuchBucket</Code>"))


def _is_ours(path: str) -> bool:
    if not _OURS.fullmatch(path):
        return False
    day = _DAY.search(path)
    try:
        return day is None or bool(date.fromisoformat(day[1]))
    except ValueError:
        return False


def _in_a_loop(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine, also where a loop runs already: in a notebook's cell."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


def in_words(where: Place, error: str) -> str:
    """What a store's error means, and what to do; nothing of the request is in it.

    >>> in_words(Place("s3://lab/prod", {}), "… <Code>NoSuchBucket</Code> …")
    's3://lab/prod: there is no such bucket. Make it, or correct the name.'
    """
    code = next(iter(_CODE.findall(error)), "")
    status = next(iter(_STATUS.findall(error)), "")
    named = f"{where.url}: "
    if code in ("NoSuchBucket", "ContainerNotFound") or "NoSuchBucket" in error:
        return named + "there is no such bucket. Make it, or correct the name."
    region = "AuthorizationHeaderMalformed PermanentRedirect IllegalLocationConstraintException"
    if code in region.split() or status in ("301", "307"):
        return named + "the bucket is in another region. Set AWS_REGION to its own."
    if status in ("401", "403") or code in ("AccessDenied", "InvalidAccessKeyId"):
        said = f" ({code})" if code else ""
        return named + (
            f"the store refuses these credentials{said}. Check them in the environment; "
            "they need to list, get, put and delete under this prefix."
        )
    if status:
        said = f"{status} {code}".strip()
        return named + f"the store answers {said}. Try again later."
    if where.scheme == "file":
        return named + "the folder cannot be used. Check that it may be written."
    return named + (
        "the store cannot be reached. Check the network, AWS_ENDPOINT_URL where it is no "
        "cloud's, and that it runs."
    )
