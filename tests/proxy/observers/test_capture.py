"""A body that is kept while it is wanted."""

from lectr_lab.proxy.observers.capture import MOST_KEPT_BYTES, Kept


def test_a_body_is_kept_to_the_byte():
    """Chunks as they came."""
    kept = Kept()
    kept.take(b"a" * (MOST_KEPT_BYTES - 1))
    kept.take(b"b")

    assert not kept.too_large
    assert [len(chunk) for chunk in kept.chunks] == [MOST_KEPT_BYTES - 1, 1]


def test_nothing_is_kept_of_what_is_too_large():
    """Nor of what follows."""
    kept = Kept()
    kept.take(b"a" * MOST_KEPT_BYTES)
    kept.take(b"b")
    kept.take(b"c")

    assert kept.too_large
    assert kept.chunks == []
