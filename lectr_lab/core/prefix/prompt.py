"""What is remembered of a prompt: digests and lengths of its joints, packed."""

from collections.abc import Iterator
from functools import cached_property

import msgspec

DIGEST_BYTES = 8
"""Of a joint: two of a session's that differ are taken for one in 10^15 comparisons."""

_END_BYTES = 8
_OBJECT_BYTES = 500  # of Python's: as measured by `tests/benchmarks/bench_prefix.py`


class Prompt(msgspec.Struct, frozen=True, dict=True):
    """A prompt's joints, in the order in which a cache sees them: tools, then the system
    prompt, then messages."""

    digests: bytes  # DIGEST_BYTES of each
    ends: bytes  # where each ends, in characters from the beginning: 8 bytes, native
    answers: bytes  # of each a byte: 1 where a model said it
    tools: int  # how many joints are tools
    heads: int  # and how many are tools or system prompt
    parameters: tuple[bytes, ...]  # digests, in the order of the rule's
    sketch: bytes  # hashes of the system prompt's lines, to know one that was altered

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[bytes]:
        step = DIGEST_BYTES
        return (self.digests[i : i + step] for i in range(0, len(self.digests), step))

    def chars(self, joints: int) -> int:
        """The length of its first joints, in characters."""
        return memoryview(self.ends).cast("Q")[joints - 1] if joints else 0

    def lengths(self) -> Iterator[int]:
        """Of each joint, in characters."""
        before = 0
        for end in memoryview(self.ends).cast("Q"):
            yield end - before
            before = end

    @property
    def memory_bytes(self) -> int:
        """About what it takes to remember."""
        joint_bytes = DIGEST_BYTES + _END_BYTES + 1
        return len(self) * joint_bytes + len(self.sketch) + _OBJECT_BYTES

    @property
    def is_opening(self) -> bool:
        """Nothing was answered yet: a conversation begins with it."""
        return 1 not in self.answers

    @cached_property
    def sent_before(self) -> int:
        """How many joints an earlier request of the conversation has sent, by its form:
        those before the last answer, or what stands before the first message."""
        last = self.answers.rfind(1)
        return self.heads if last < 0 else self.answers.rfind(0, 0, last) + 1

    def likeness(self, other: "Prompt") -> tuple[int, int]:
        """How many of the sketched lines both have, and how many the shorter has."""
        one, two = (
            set(memoryview(prompt.sketch).cast("I")) for prompt in (self, other)
        )
        return len(one & two), min(len(one), len(two))

    def shared(self, other: "Prompt") -> int:
        """How many joints the two begin with alike."""
        mine, its = self.digests, other.digests
        if mine[:DIGEST_BYTES] != its[:DIGEST_BYTES]:
            return 0  # most, where many conversations are not told apart
        size = min(len(mine), len(its))
        if mine[:size] == its[:size]:
            return size // DIGEST_BYTES  # most, where one goes on
        low, high = 0, size // DIGEST_BYTES
        while low < high:  # halves: slices are compared at the speed of memory
            middle = (low + high + 1) // 2
            cut = slice(low * DIGEST_BYTES, middle * DIGEST_BYTES)
            if self.digests[cut] == other.digests[cut]:
                low = middle
            else:
                high = middle - 1
        return low
