"""What is remembered of a prompt, and how two are compared."""

from hypothesis import given
from hypothesis import strategies as st
from prefix_bodies import KEY, body

from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.prompt import DIGEST_BYTES

said = st.lists(st.sampled_from("abc"), max_size=12)


def read(*texts):
    return read_prompt(body("chat", "begin", *texts), None, KEY)


@given(said, said)
def test_what_two_share_is_what_they_begin_with_alike(one, other):
    """As found joint by joint."""
    a, b = read(*one), read(*other)
    pairs = zip(a, b, strict=False)
    differ = (i for i, (x, y) in enumerate(pairs) if x != y)

    assert a.shared(b) == b.shared(a) == next(differ, min(len(a), len(b)))


@given(said)
def test_lengths_add_up_to_the_ends(texts):
    """Of each joint, and of the first joints together."""
    prompt = read(*texts)
    lengths = list(prompt.lengths())

    for n in range(len(prompt) + 1):
        assert prompt.chars(n) == sum(lengths[:n])


def test_an_earlier_request_has_sent_what_stands_before_the_last_answer():
    """Of an opening, what stands before its first message."""
    assert read().sent_before == read().heads == 3
    assert read("Hello", "Go on").sent_before == 4
    assert read("Hello", "Go on", "Fine", "Go on").sent_before == 6


def test_a_prompt_takes_little_memory():
    """Some bytes a joint: nothing of its texts."""
    prompt = read(*["x" * 1000] * 99)

    assert len(prompt.digests) == DIGEST_BYTES * len(prompt)
    assert prompt.memory_bytes < 4_000
