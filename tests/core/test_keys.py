"""Keys: known by their digests, found exactly, each time they are looked for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.keys import KeyEntry, KeyTable, digest, looks_like_key, new_key

SALT = b"a folder's salt"


def entry(key: str, org: str) -> KeyEntry:
    return KeyEntry(
        key_id=f"id-{org}",
        org=org,
        digest=digest(key, SALT),
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


@given(random=st.binary(min_size=20, max_size=40))
def test_a_new_key_keeps_every_random_bit(random):
    """Two keys are equal only where their bytes are, and each has a key's form."""
    flipped = bytes([random[0] ^ 0x80]) + random[1:-1] + bytes([random[-1] ^ 1])

    assert looks_like_key(new_key(random))
    assert new_key(flipped) != new_key(random)
    assert not set(new_key(random).removeprefix("lc_key_")) & set("ilouILOU")


def test_a_key_from_too_little_randomness_is_refused():
    """At least 160 bits."""
    with pytest.raises(ValueError, match="20 random bytes"):
        new_key(bytes(19))


@given(st.lists(st.binary(min_size=20, max_size=24), unique=True, max_size=5))
def test_each_key_finds_its_own_entry(randoms):
    """And no other key finds any."""
    *keys, stranger = [new_key(r) for r in [*randoms, b"\xff" * 25]]
    table = KeyTable([entry(key, f"org{i}") for i, key in enumerate(keys)], SALT)

    found = [table.find(key) for key in keys]

    assert found == [table.find(key) for key in keys]  # and again
    assert [e and e.org for e in found] == [f"org{i}" for i in range(len(keys))]
    assert table.find(stranger) is None


@given(st.text() | st.text().map(lambda text: "lc_key_" + text))
def test_anything_may_be_asked_for(text):
    """Whatever a client sends as its key is an answer, not an error."""
    assert KeyTable([entry("lc_key_a!", "x")], SALT).find(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "lc_key_", "sk-abc", "lc_key_a b", "LC_KEY_a", " lc_key_a", "lc_key_a\n"],
)
def test_what_does_not_look_like_a_key(text):
    """Neither empty, nor with other characters, nor another prefix."""
    assert not looks_like_key(text)


def test_a_digest_depends_on_the_folder():
    """Equal keys in two folders do not look alike, and neither shows the key."""
    assert digest("lc_key_a", b"1") != digest("lc_key_a", b"2")
    assert "lc_key" not in repr(entry("lc_key_a", "acme"))
