"""Heads read once are read as ever, and no more is kept than is said."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import read_headers, redactor
from lectr_lab.core.registry import registry
from lectr_lab.proxy.heads import Heads

NAMES = (
    b"x-lectr-key x-lectr-feature x-lectr-task x-lectr-provider authorization x-api-key "
    b"content-length traceparent user-agent anthropic-version"
).split()
VALUES = st.sampled_from(
    [b"a", b" a ", b"lc_key_a", b"Bearer sk-a", b"azure", b"7", b""]
)
HEADS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5),
        st.sampled_from([b"", b"key=AIza-1", b"key=AIza-2"]),
    ),
    max_size=12,
)


@given(HEADS)
def test_a_head_means_the_same_whichever_came_before(heads):
    """The words, the keys and what they hide; all but the length of the body."""
    known = Heads(registry(), operator_keys=frozenset({"sk-operator"}))

    for raw, query in heads:
        head = known.read(raw, query)
        known.keep(head)

        unsized = [field for field in raw if field[0] != b"content-length"]
        said = read_headers(unsized, None, query)
        assert head.client_headers == said
        hide = redactor(said, frozenset({"sk-operator"}))
        for word in ("a", "x lc_key_a", "AIza-1 and", "sk-operator", None):
            assert head.hide(word) == hide(word)


def test_a_head_that_comes_again_is_not_read_again():
    """Whatever the length of its body."""
    known, usual = Heads(registry()), (b"x-lectr-feature", b"faq")
    first = known.read([usual, (b"content-length", b"10")])
    known.keep(first)

    assert known.read([(b"content-length", b"2000"), usual]) is first


@given(HEADS)
def test_what_a_head_came_with_says_the_same(heads):
    """Whatever else came since, and whether it was kept."""
    known, origins = Heads(registry()), {}
    for raw, query in [*heads, *heads]:
        unsized = tuple(field for field in raw if field[0] != b"content-length")
        origin = origins.setdefault((unsized, query), object())

        head = known.read(raw, query, origin)

        assert head.client_headers == read_headers(unsized, None, query)
        known.keep(head)


def test_what_will_not_come_again_is_not_kept():
    """A trace's id, a head of many bytes, and one whose caller nobody vouched for."""
    known, trace, large = (
        Heads(registry()),
        (b"traceparent", b"00-1"),
        (b"cookie", b"x" * 9000),
    )
    for field in (trace, large):
        head = known.read([field])
        known.keep(head)
        assert known.read([field]) is not head

    stranger = known.read([(b"x-lectr-key", b"lc_key_x")])
    assert known.read([(b"x-lectr-key", b"lc_key_x")]) is not stranger


def test_memory_is_bounded():
    """However many callers there are, and whatever models one of them names."""
    known, heads = Heads(registry()), []
    for n in range(1000):
        heads.append(known.read([(b"x-lectr-feature", b"%d" % n)]))
        known.keep(heads[-1])
    again = [known.read([(b"x-lectr-feature", b"%d" % n)]) for n in range(1000)]
    assert sum(a is b for a, b in zip(heads, again, strict=True)) <= 256

    for _ in range(1000):
        known.read([(b"x-lectr-feature", b"999")], b"", object())
    assert 0 < len(known._by_origin) <= 256

    found: list[int] = []
    for n in (*range(100), *range(100)):
        heads[0].call(n, lambda n=n: found.append(n))
    assert len(found) == 200
