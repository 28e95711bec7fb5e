"""An object store by its URL: S3 and its kin, Google's, Azure's, or a folder.

Credentials come from the environment alone. Where there are none, the library would ask
the metadata address of a cloud's machine for some; that is refused here, and done only
where it is asked for. Errors are said in words of ours: the library's texts hold whole
requests.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from lectr_lab.config.ship_settings import place_fault
from lectr_lab.config.urls import key_is_safe
from lectr_lab.core.errors import ConfigError, MissingExtra, StoreError
from lectr_lab.shipping.protocol import Object

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

T = TypeVar("T")
_OURS = re.compile(
    r"(?:fresh|log)/date=\d{4}-\d\d-\d\d/[0-9a-f-]{32,64}\.parquet"
    r"|days/date=\d{4}-\d\d-\d\d/\d{8}\.json"
    r"|cells/date=\d{4}-\d\d-\d\d/[0-9a-f]{32}(?:\.[a-z0-9]{1,16}){1,2}"
    r"|months/\d{4}-\d\d/[0-9a-f]{32}\.json"
)
_AT_A_TIME = 16
_REGION = "us-east-1"  # S3's own default; without one polars asks the bucket for it
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_ENVIRONMENT: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "s3": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SKIP_SIGNATURE",)),
    "gs": (
        ("GOOGLE_APPLICATION_CREDENTIALS",),
        ("GOOGLE_SERVICE_ACCOUNT",),
        ("GOOGLE_SERVICE_ACCOUNT_PATH",),
        ("GOOGLE_SERVICE_ACCOUNT_KEY",),
        ("GOOGLE_BEARER_TOKEN",),
        ("GOOGLE_SKIP_SIGNATURE",),
    ),
    "az": (
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_SAS_KEY"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_TOKEN"),
        (
            "AZURE_STORAGE_ACCOUNT_NAME",
            "AZURE_STORAGE_CLIENT_ID",
            "AZURE_STORAGE_CLIENT_SECRET",
            "AZURE_STORAGE_TENANT_ID",
        ),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_SKIP_SIGNATURE"),
    ),
}
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
# Where a container's platform hands out a role: asked as an instance's address is.
_ROLES = re.compile("CONTAINER_|WEB_IDENTITY|ROLE_|METADATA_|MSI_|IDENTITY_|FEDERATED")


class Place(NamedTuple):
    """A prefix of a store, and what opens it."""

    url: str
    options: dict[str, str]
    """For obstore and, by the same names, for polars; credentials are in it."""

    def __repr__(self) -> str:
        """Without the credentials."""
        return f"Place({self.url!r})"

    @property
    def scheme(self) -> str:
        """s3, gs, az or file."""
        return urlsplit(self.url).scheme

    def of(self, path: str) -> str:
        """The URL of an object, or its file's path."""
        if self.scheme == "file":
            return f"{urlsplit(self.url).path.rstrip('/')}/{path}"
        return f"{self.url}/{path}"


def place(
    url: str, environ: Mapping[str, str], *, instance_credentials: bool = False
) -> Place:
    """Read a URL and the environment; nothing is asked yet.

    Args:
        url: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix (also of an
            S3-compatible server, by AWS_ENDPOINT_URL) or file:///folder.
        environ: the credentials, by the names that each vendor's own tools use.
        instance_credentials: without credentials there, ask this machine's metadata
            address for those of its role.

    Raises:
        ConfigError: it is no such URL, or there are no credentials for it.

    >>> place("s3://lab/prod/", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    Place('s3://lab/prod')
    """
    if fault := place_fault(url):
        raise ConfigError(f"{url!r}: {fault}.")
    instance_credentials |= _yes(environ, "LECTR_INSTANCE_CREDENTIALS")
    found = Place(url.rstrip("/"), {})
    scheme = found.scheme
    if scheme == "file":
        return found
    if not instance_credentials and not _has_credentials(scheme, environ):
        raise ConfigError(_no_credentials(scheme, url))
    options = {
        name.lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIXES[scheme])
        and value
        and (instance_credentials or not _ROLES.search(name))
    }
    # Addresses and profiles of other tools, which obstore does not know.
    known = {name: v for name, v in options.items() if _is_option(scheme, name)}
    endpoint = known.get("aws_endpoint_url", known.get("aws_endpoint", ""))
    if endpoint.startswith("http://"):
        if not key_is_safe(endpoint) and not _yes(environ, "AWS_ALLOW_HTTP"):
            raise ConfigError(
                f"AWS_ENDPOINT_URL is {endpoint}, where what is sent can be read by "
                "others: write https://, or set AWS_ALLOW_HTTP=true if it is meant."
            )
        known["aws_allow_http"] = "true"
    if scheme == "s3" and not known.keys() & {"aws_region", "aws_default_region"}:
        known["aws_region"] = _REGION
    return found._replace(options=known)


def _yes(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in ("1", "true", "yes", "on")


def _has_credentials(scheme: str, environ: Mapping[str, str]) -> bool:
    return any(all(map(environ.get, names)) for names in _ENVIRONMENT[scheme])


def _no_credentials(scheme: str, url: str) -> str:
    names = " and ".join(_ENVIRONMENT[scheme][0])
    temporary = (
        ", AWS_SESSION_TOKEN too if they are temporary" if scheme == "s3" else ""
    )
    return (
        f"There are no credentials for {url} in the environment: set {names}{temporary}. "
        "On a cloud's machine that has a role, --instance-credentials asks its metadata "
        "address for them; nothing was asked."
    )


_OPTIONS = {
    "s3": "aws_access_key_id aws_secret_access_key aws_session_token aws_region "
    "aws_default_region aws_endpoint aws_endpoint_url aws_allow_http "
    "aws_virtual_hosted_style_request aws_unsigned_payload aws_skip_signature "
    "aws_server_side_encryption aws_sse_kms_key_id aws_request_payer "
    "aws_metadata_endpoint aws_container_credentials_relative_uri "
    "aws_container_credentials_full_uri aws_container_authorization_token_file "
    "aws_web_identity_token_file aws_role_arn aws_role_session_name",
    "gs": "google_service_account google_service_account_path "
    "google_service_account_key google_application_credentials google_base_url "
    "google_bearer_token google_skip_signature",
    "az": "azure_storage_account_name azure_storage_account_key azure_storage_sas_key "
    "azure_storage_token azure_storage_client_id azure_storage_client_secret "
    "azure_storage_tenant_id azure_storage_endpoint azure_endpoint "
    "azure_skip_signature azure_msi_endpoint azure_federated_token_file",
}


def _is_option(scheme: str, name: str) -> bool:
    return name in _OPTIONS[scheme].split()


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
            self._said(lambda: next(iter(obstore.list(self._store, "days/")), None))

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

        async def one(path: str, turn: asyncio.Semaphore) -> bytes:
            async with turn:
                got = await obstore.get_async(self._store, path)
                return bytes(await got.bytes_async())

        async def every() -> list[bytes]:
            turn = asyncio.Semaphore(_AT_A_TIME)
            return await asyncio.gather(*(one(path, turn) for path in paths))

        def run() -> list[bytes]:
            if len(paths) == 1:
                return [bytes(obstore.get(self._store, paths[0]).bytes())]
            return _in_a_loop(every)

        return self._said(run) if paths else []

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
    if path.startswith("months/"):
        return True
    try:
        date.fromisoformat(path.split("/")[1].removeprefix("date="))
    except ValueError:
        return False
    return True


def _in_a_loop(make: Callable[[], Any]) -> Any:
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
