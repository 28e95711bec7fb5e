"""Reading what many proxies shipped to one prefix: by the names of days, not by looking."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from lectr_lab.log.schema import frame, polars_schema
from lectr_lab.shipping.places import place
from lectr_lab.shipping.protocol import counted
from lectr_lab.shipping.stores import RemoteStore, check, opened

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


class RemoteFile(NamedTuple):
    """A Parquet file of a day, where it is for any reader, its bytes, and its path below
    the prefix.

    One that is `merged` stays as it is and where it is, so what is counted of it may be
    kept under its name; one that is not may be merged and swept.
    """

    day: date
    url: str
    size: int
    merged: bool
    path: str

    @property
    def name(self) -> str:
        """What it is called among the objects of its day."""
        return self.url.rpartition("/")[2].removesuffix(".parquet")


class RemoteLog(NamedTuple):
    """The files whose rows count, each row in one of them, and what opens them."""

    files: tuple[RemoteFile, ...]
    storage_options: dict[str, str]
    store: RemoteStore

    def __repr__(self) -> str:
        """Without the credentials."""
        return f"RemoteLog({len(self.files)} files)"

    def rows(self, files: Sequence[RemoteFile] | None = None) -> pl.LazyFrame:
        """The rows of all files, or of these, as `scan_remote` has them."""
        urls = [one.url for one in (self.files if files is None else files)]
        if not urls:
            return frame([]).lazy()
        return rows_of(urls, self.storage_options)


def is_url(lab: object) -> bool:
    """It names a prefix of an object store, not a folder; `listed` says what is wrong
    with one that cannot be.

    >>> is_url("s3://bucket/prefix"), is_url("lab")
    (True, False)
    """
    return isinstance(lab, str) and _URL.match(lab) is not None


def listed(
    url: str,
    since: date | None = None,
    until: date | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    instance_credentials: bool = False,
) -> RemoteLog:
    """The files of a prefix that many proxies ship to, by day.

    Args:
        url: s3://bucket/prefix, gs://…, az://… or file:///folder.
        since: the first day (UTC).
        until: the last day; nothing of other days is read.
        environ: the credentials; None: of this process. LECTR_INSTANCE_CREDENTIALS=true
            does what `instance_credentials` does.
        instance_credentials: where there are none, ask this machine's metadata address.

    Raises:
        ConfigError: it is no such URL, or there are no credentials.
        StoreError: the store cannot be reached, or refuses; within 3 seconds.
        MissingExtra: obstore is not installed.
    """
    environ = os.environ if environ is None else environ
    where = place(url, environ, instance_credentials=instance_credentials)
    check(where)
    store = opened(where)
    found = counted(store, since, until)
    files = (
        RemoteFile(
            one.day,
            where.of(one.path),
            one.size,
            merged=one.path.startswith("log/"),
            path=one.path,
        )
        for one in found
    )
    return RemoteLog(tuple(files), where.options, store)


def scan_remote(
    url: str,
    since: date | None = None,
    until: date | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    instance_credentials: bool = False,
) -> pl.LazyFrame:
    """The events that were shipped to a prefix, as they are now; as `log.scan.scan`.

    Args, Raises: as `listed`.

    Returns:
        One row per event, with the columns of `polars_schema()` and in no particular
        order. Files are read when it is collected, and of them the columns that are
        asked for. What is not shipped yet (15 minutes, unless told) is not there. Where a
        file was merged and swept in between, an hour at least, collecting raises: scan
        again.

    >>> import tempfile
    >>> scan_remote(f"file://{tempfile.mkdtemp()}").collect().height
    0
    """
    return listed(
        url,
        since,
        until,
        environ=environ,
        instance_credentials=instance_credentials,
    ).rows()


def rows_of(
    files: Sequence[str] | Sequence[bytes],
    storage_options: dict[str, str] | None = None,
) -> pl.LazyFrame:
    """The rows of Parquet files of a log, with the columns of this version.

    Args:
        files: one at least: where they are, or what is in them.
        storage_options: what opens them.
    """
    return pl.scan_parquet(
        list(files),  # type: ignore[arg-type]
        schema=polars_schema(),
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
        storage_options=storage_options,
        credential_provider=None,  # "auto" asks other tools' files, and the network
    )
