"""A name's keyed hash: the same for the same, and nothing to be read from it."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.identity.keyed_hash import HEX_DIGITS, KeyedHash

anything = st.text(st.characters(codec=None))  # half surrogate pairs, too


@given(anything, anything, anything)
def test_a_hash_tells_the_same_from_another(secret, one, other):
    """And is 32 hexadecimal digits, of any text under any secret."""
    hashes = KeyedHash(secret)

    assert hashes.of(one) == KeyedHash(secret).of(one)
    assert (hashes.of(one) == hashes.of(other)) == (one == other)
    assert len(hashes.of(one)) == HEX_DIGITS
    assert int(hashes.of(one), 16) >= 0


def test_without_the_secret_nobody_can_guess():
    """Another secret has other hashes, and none shows itself."""
    assert KeyedHash("a" * 99).of("alice") != KeyedHash("b" * 99).of("alice")
    assert "secret" not in repr(KeyedHash("secret"))
