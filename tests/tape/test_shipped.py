"""The recordings that travel with the package."""

from pathlib import Path

import pytest

import lectr_lab
from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.cassette import read_cassettes
from lectr_lab.tape.provider import TapeServer
from lectr_lab.tape.shipped import shipped_cassettes


def test_a_checkout_has_them_at_its_root():
    """With the page that says where they come from."""
    assert shipped_cassettes() == Path(lectr_lab.__file__).parents[1] / "cassettes"


def test_an_installation_has_them_beside_the_package(tmp_path, monkeypatch):
    """And says so where it has none."""
    monkeypatch.setattr(lectr_lab, "__file__", str(tmp_path / "p" / "__init__.py"))
    with pytest.raises(CassetteError, match="no recordings beside"):
        shipped_cassettes()
    (tmp_path / "p" / "cassettes").mkdir(parents=True)
    (tmp_path / "p" / "cassettes" / "PROVENANCE.md").touch()

    assert shipped_cassettes() == tmp_path / "p" / "cassettes"


def test_they_replay(ask):
    """Every one of them, from its own address on the tape."""
    recorded = read_cassettes(shipped_cassettes())
    with TapeServer(recorded, speed=0) as tape:
        for one in recorded:
            reply, chunks = ask(tape.base_url("openai"), one)

            assert reply.status_code == one.status
            assert b"".join(chunks) == one.body


def test_they_name_no_place_of_the_machine_they_were_recorded_on():
    """No path, and nothing that looks like a key."""
    for file in shipped_cassettes().rglob("*"):
        if file.suffix in (".yaml", ".json", ".md", ".toml"):
            text = file.read_text("utf-8")

            assert not [p for p in ("/tmp/", "/root/", "/home/", "/work/") if p in text]
            assert "lc_key_" not in text.replace("lc_key_…", "")
