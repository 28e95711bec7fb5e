"""The recordings that travel with the package."""

from pathlib import Path

import httpx
import pytest

import lectr_lab
from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.cassette import read_cassette, read_cassettes
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
    """Every one of them, from its provider's address; what was cut off is cut again."""
    recorded = read_cassettes(shipped_cassettes())
    with TapeServer(recorded, speed=0) as tape:
        for one in recorded:
            base_url = tape.base_url(one.provider or "openai")
            if one.ended == "complete":
                reply, chunks = ask(base_url, one)
                assert reply.status_code == one.status
                assert b"".join(chunks) == one.body
            else:
                with pytest.raises(httpx.RemoteProtocolError):
                    ask(base_url, one)


def test_nothing_simulated_passes_for_real():
    """Each simulated request says so; PROVENANCE.md has a line for every cassette."""
    said = (shipped_cassettes() / "PROVENANCE.md").read_text("utf-8")
    for file in shipped_cassettes().rglob("*.yaml"):
        simulated = [b"simulated: " in one.request_body for one in read_cassette(file)]

        assert set(simulated) == {file.parent.name == "simulated"}
        assert f"| `{file.name}` |" in said
        assert f"`{file.parent.name}/`" in said


def test_they_are_small():
    """They travel with every installation."""
    files = [p for p in shipped_cassettes().rglob("*") if p.is_file()]

    assert sum(p.stat().st_size for p in files) < 1_500_000


def test_they_name_no_place_of_the_machine_they_were_recorded_on():
    """No path, and nothing that looks like a key."""
    for file in shipped_cassettes().rglob("*"):
        if file.suffix in (".yaml", ".json", ".md", ".toml"):
            text = file.read_text("utf-8")

            assert not [p for p in "tmp root home work".split() if f"/{p}/" in text]
            assert "lc_key_" not in text.replace("lc_key_…", "")
