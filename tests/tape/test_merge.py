"""Several that record into one cassette."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.merge import as_recorded, beyond, counted, without_repeats
from lectr_lab.tape.record import Recorder
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing

URL = "http://127.0.0.1/v1/chat/completions"
CALLS = st.lists(st.integers(0, 4), max_size=6)


def call(n, answer=b"{}"):
    """One recorded call, told apart by its body."""
    made = RecordedCall(
        method="POST",
        url=URL,
        request_headers=(),
        request_body=b'{"n": %d}' % n,
        status=200,
        response_headers=(),
        chunks=(answer,),
    )
    timing = Timing(started_ms=0.0, head_ms=1.0, chunks=((len(answer), 1.0),))
    return made, timing


class Answer:
    """A provider's, at once."""

    status, headers = 200, ()

    async def __aiter__(self):
        yield b"{}"

    async def aclose(self):
        """Nothing is open."""


class Engine:
    """Answers everything."""

    async def send(self, method, url, headers, body):
        return Answer()

    async def aclose(self):
        """Nothing is open."""


async def asked(recorder, *numbers):
    """Let calls pass a recorder."""
    engine = recorder.wrap(Engine())
    for n in numbers:
        reply = await engine.send("POST", URL, (), b'{"n": %d}' % n)
        async for _ in reply:
            pass
        await reply.aclose()


def bodies(path):
    """What was asked, as the file has it."""
    return sorted(int(one.request_body[6:-1]) for one in read_cassette(path))


@given(known=CALLS, more=CALLS)
def test_what_is_known_is_taken_away_as_often_as_it_is(known, more):
    """And the order of the rest stays."""
    found = beyond(map(call, known + more), counted(map(call, known)))

    assert found == [call(n) for n in more] or sorted(
        c.request_body for c, _ in found
    ) == sorted(c.request_body for c, _ in map(call, more))


@given(mine=CALLS, others=CALLS)
def test_a_request_is_there_as_often_as_one_of_them_asked(mine, others):
    """As if one had come after the other, and played what it found."""
    theirs = [call(n, b'{"of": "theirs"}') for n in others]
    whole = theirs + without_repeats(map(call, mine), theirs)

    for n in range(5):
        times = sum(c.request_body == b'{"n": %d}' % n for c, _ in whole)
        assert times == max(mine.count(n), others.count(n))


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["shared.yaml", "shared.json"])
async def test_nobody_s_calls_are_lost(tmp_path, name):
    """Two that began with the same file, in whatever order they end, and end again."""
    path = tmp_path / "new" / name
    one, two = Recorder(path, kept=()), Recorder(path, kept=())
    await asked(one, 1, 2)
    await asked(two, 2, 3)
    one.save()
    two.save()
    await asked(one, 4)
    one.save()
    assert bodies(path) == [1, 2, 3, 4]

    later = Recorder(path, kept=read_cassette(path))
    await asked(later, 5)
    later.save()
    assert bodies(path) == [1, 2, 3, 4, 5]
    assert all(one.timing for one in read_cassette(path))


@pytest.mark.anyio
async def test_what_was_there_before_is_replaced(tmp_path):
    """But not what came there meanwhile, nor what this run has recorded."""
    path = tmp_path / "a.yaml"
    old = Recorder(path, kept=())
    await asked(old, 0)
    old.save()

    one, two = Recorder(path), Recorder(path)
    await asked(one, 1)
    await asked(two, 2)
    one.save()
    two.save()
    assert bodies(path) == [1, 2]

    of_the_run = Recorder(path, may_replace=lambda: False)
    await asked(of_the_run, 3)
    of_the_run.save()
    assert bodies(path) == [1, 2, 3]


def test_what_is_read_is_written_again_as_it_was(tmp_path):
    """Timing and all."""
    recorder = Recorder(tmp_path / "a.yaml", kept=())
    recorder._base = [call(1)]
    recorder.save()

    [again] = map(as_recorded, read_cassette(tmp_path / "a.yaml"))
    assert again == call(1)
