"""The recordings that travel with the package."""

import httpx
import pytest

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette, read_cassettes
from lectr_lab.testing.replay import replay


def test_they_replay(ask):
    """Every one of them, from its provider's address; what was cut off is cut again."""
    recorded = read_cassettes(shipped_cassettes())
    with replay(shipped_cassettes()) as proxy:
        for one in recorded:
            if one.ended == "complete":
                reply, chunks = ask(proxy, one)
                assert reply.status_code == one.status
                assert b"".join(chunks) == one.body
            else:
                with pytest.raises(httpx.RemoteProtocolError):
                    ask(proxy, one)


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
