"""A lab that is shipped, a folder in the place of a store, and an S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped_lab import KEYS, s3_server

from lectr_lab.log.folder import LabFolder
from lectr_lab.shipping.places import place
from lectr_lab.shipping.ship import begin
from lectr_lab.shipping.stores import RemoteStore, opened


@pytest.fixture
def folder_url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/store"


@pytest.fixture
def store(folder_url: str) -> RemoteStore:
    return opened(place(folder_url, {}))


@pytest.fixture
def lab(tmp_path: Path, folder_url: str) -> LabFolder:
    """A new lab that is shipped to the folder."""
    lab = LabFolder.create(tmp_path / "lab")
    begin(lab, folder_url)
    return lab


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The environment of whoever reaches an S3 server on loopback."""
    with s3_server() as url:
        yield KEYS | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
