"""The files that travel with the package."""

from pathlib import Path

import pytest

from lectr_lab import resources
from lectr_lab.core.errors import LabError
from lectr_lab.resources import (
    shipped_cassettes,
    shipped_notebooks,
    shipped_policy,
    shipped_traffic,
)

EACH = [
    (shipped_cassettes, "cassettes", "PROVENANCE.md"),
    (shipped_traffic, "data/demo", "README.md"),
    (shipped_notebooks, "notebooks", "00_start_here.ipynb"),
]
POLICY = "policy_on_public_data.md"


@pytest.mark.parametrize(("find", "folder", "holds"), EACH)
def test_a_checkout_has_them_at_its_root(find, folder, holds):
    """With the file that each is known by."""
    root = Path(resources.__file__).parents[1]

    assert find() == root / folder
    assert (root / folder / holds).is_file()


@pytest.mark.parametrize(("find", "folder", "holds"), EACH)
def test_an_installation_has_them_beside_the_package(
    find, folder, holds, tmp_path, monkeypatch
):
    """And says so where it has none."""
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "p" / "resources.py"))
    with pytest.raises(LabError, match=f"no {folder} beside"):
        find()
    (tmp_path / "p" / folder).mkdir(parents=True)
    (tmp_path / "p" / folder / holds).touch()

    assert find() == tmp_path / "p" / folder


def test_the_page_on_public_data_is_where_its_folder_is(tmp_path, monkeypatch):
    """In a checkout and beside an installed package."""
    root = Path(resources.__file__).parents[1]
    assert shipped_policy() == root / "data" / POLICY

    monkeypatch.setattr(resources, "__file__", str(tmp_path / "p" / "resources.py"))
    (tmp_path / "p" / "data").mkdir(parents=True)
    (tmp_path / "p" / "data" / POLICY).touch()
    assert shipped_policy() == tmp_path / "p" / "data" / POLICY
