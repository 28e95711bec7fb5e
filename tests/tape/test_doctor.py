"""Old cassettes are looked at, and mended in place."""

import json
import os
import shutil

import pytest

from lectr_lab.core.errors import CassetteError
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette, read_cassettes
from lectr_lab.tape.doctor import examine, mend
from lectr_lab.tape.secret_patterns import NO_MARKS, compiled
from lectr_lab.tape.timing_file import read_side
from lectr_lab.testing.replay import replay

HUSH = "hush-0123456789"
OLD = f"""\
interactions:
- request:
    body: '{{"model":"m","password":"{HUSH}"}}'
    headers: {{authorization: [Bearer {HUSH}], accept: '*/*', content-length: ['42'], x-acme: a}}
    method: POST
    uri: https://api.openai.com/v1/moderations?key={HUSH}
  response:
    body: {{string: "no such key: {HUSH}, sorry"}}
    headers: {{X-Request-Id: [r1], Content-Length: ['35'], x-more: [a, b]}}
    status: {{code: 401, message: Unauthorized}}
  recorded_at: 2024-05-01T10:00:00
version: 1
"""
SIDE = {
    "version": 1,
    "interactions": [
        {"started_ms": 0, "head_ms": 3, "chunks": [[20, 4], [15, 9]], "feature": HUSH}
    ],
}


@pytest.fixture
def old(cassette):
    """One that today's recorder would not write, with its side file."""
    path = cassette(OLD)
    path.with_suffix(".side.json").write_text(json.dumps(SIDE))
    return path


def test_looking_changes_nothing(old):
    """It says how many values of which kind."""
    before = old.read_bytes()

    [finding], files = examine(old)

    assert (finding.path, finding.error, files) == (old, None, 1)
    assert finding.values["of headers with keys, cookies or account names"] == 1
    assert finding.values["of headers that are not known to be harmless"] == 3
    assert finding.values["under the name of a secret"] == 2
    assert finding.values["keys of the calls, elsewhere"] == 2
    assert old.read_bytes() == before


def test_mending_takes_out_what_was_found_and_leaves_the_rest(old):
    """Nothing is found then; timing, status and what is not known to vcrpy stay."""
    found, _ = examine(old)

    assert mend(found) == found

    files = old.read_text() + old.with_suffix(".side.json").read_text()
    [one] = read_cassette(old)
    assert HUSH not in files
    assert "recorded_at: 2024-05-01 10:00:00" in files
    assert examine(old) == ([], 1)
    assert one.request_body == b'{"model":"m","password":"[redacted]"}'
    assert one.uri == "https://api.openai.com/v1/moderations?key=[redacted]"
    assert one.body == b"no such key: [redacted], sorry"
    assert dict(one.response_headers)[b"Content-Length"] == b"30"
    assert one.request_headers[0] == (b"accept", b"*/*")
    [timing] = read_side(old).interactions
    assert (timing.feature, timing.head_ms) == ("[redacted]", 3)
    assert timing.chunks == ((23, 4), (7, 9))


def test_what_was_mended_plays(old, ask):
    """For the request as it was sent, key and all."""
    [before] = read_cassette(old)
    mend(examine(old)[0])
    [after] = read_cassette(old)

    with replay(old) as proxy:
        reply, chunks = ask(proxy, before)

    assert reply.status_code == 401
    assert b"".join(chunks) == after.body


def test_a_users_patterns_are_looked_for(old):
    """As when recording."""
    own = compiled(["sorr."])
    mend(examine(old, own)[0], own)

    assert read_cassette(old)[0].body.endswith(b", [redacted]")
    assert examine(old, own)[0] == []


def test_what_cannot_be_read_is_named_and_left(cassette, old):
    """The others are mended all the same."""
    broken = cassette("a: [", "broken.yaml")

    found, files = examine(old.parent)
    mended = mend(found)

    assert files == 2
    assert [one.path for one in mended] == [old]
    [left] = [one for one in found if one.error]
    assert left.path == broken
    assert "this is not YAML" in left.error
    with pytest.raises(CassetteError, match="no cassette"):
        examine(old.parent / "none.yaml" / "deeper")


def test_a_file_that_cannot_be_replaced_stays_whole(old):
    """The old one is there, nothing half written beside it."""
    found, _ = examine(old)
    before = old.read_bytes()
    old.with_name(f".{old.name}.{os.getpid()}.aside").mkdir()

    with pytest.raises(CassetteError, match="cannot be written"):
        mend(found)

    assert old.read_bytes() == before


def test_a_link_is_followed(old, tmp_path):
    """What it leads to is mended; it stays a link."""
    link = tmp_path / "links" / "tape.yaml"
    link.parent.mkdir()
    link.symlink_to(old)
    old.with_suffix(".side.json").unlink()

    mend(examine(link)[0])

    assert link.is_symlink()
    assert HUSH not in old.read_text()


def test_the_shipped_cassettes_are_well():
    """As they were recorded by earlier versions, so that nothing of them changes."""
    found, files = examine(shipped_cassettes())

    assert (found, files) == ([], len(list(shipped_cassettes().rglob("*.yaml"))))


def test_real_recordings_keep_their_bodies(shared, tmp_path):
    """Seventy-nine are mended of cookies and accounts, and of nothing else."""
    for name in ("anthropic", "azure", "gemini", "groq", "openai"):
        shutil.copytree(
            shared / "cassettes" / name, tmp_path / name, copy_function=shutil.copyfile
        )
        (tmp_path / name).chmod(0o700)
    before = read_cassettes(tmp_path)

    found, files = examine(tmp_path, NO_MARKS)
    mend(found)

    after = read_cassettes(tmp_path)
    kinds = {kind for finding in found for kind in finding.values}
    assert files == 79
    assert kinds == {"of headers with keys, cookies or account names"}
    assert examine(tmp_path) == ([], 79)
    for old, new in zip(before, after, strict=True):
        assert (old.request_body, old.chunks) == (new.request_body, new.chunks)
        assert (old.uri, old.status) == (new.uri, new.status)
