"""What a cassette holds beside what this process has recorded.

Several may record into one file: tests of one module on several workers. Whoever writes
reads it again, and keeps what came there since.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from lectr_lab.tape.cassette import Interaction, provider_of
from lectr_lab.tape.compare import comparable
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing

Recorded = tuple[RecordedCall, Timing]


def as_recorded(one: Interaction) -> Recorded:
    """An interaction that was read, to be written again."""
    call = RecordedCall(
        method=one.method,
        url=one.uri,
        request_headers=one.request_headers,
        request_body=one.request_body,
        status=one.status,
        response_headers=one.response_headers,
        chunks=tuple(chunk.data for chunk in one.chunks),
        cut_short=one.ended != "complete",
    )
    at_once = tuple((len(chunk.data), 0.0) for chunk in one.chunks)
    return call, one.timing or Timing(started_ms=0.0, head_ms=0.0, chunks=at_once)


def counted(recorded: Iterable[Recorded]) -> Counter[object]:
    """Which calls these are, and how often each."""
    return Counter(map(_identity, recorded))


def beyond(recorded: Iterable[Recorded], known: Counter[object]) -> list[Recorded]:
    """Those that are not known, or not so often; in their order."""
    left, found = known.copy(), []
    for one in recorded:
        if left[_identity(one)] > 0:
            left[_identity(one)] -= 1
        else:
            found.append(one)
    return found


def without_repeats(
    mine: Iterable[Recorded], others: Sequence[Recorded]
) -> list[Recorded]:
    """Mine but for what others have asked as well: had they been first, theirs would
    have been played, and nobody asked again."""
    asked = Counter(map(_request, others))
    found = []
    for one in mine:
        if asked[_request(one)] > 0:
            asked[_request(one)] -= 1
        else:
            found.append(one)
    return found


def _identity(one: Recorded) -> object:
    call, _ = one
    body = b"".join(call.chunks)
    return call.method, call.url, call.request_body, call.status, body


def _request(one: Recorded) -> object:
    call, _ = one
    sent = call.method, call.url, call.request_headers, call.request_body
    request = comparable(*sent, provider_of(call.url))
    return request.key, request.model
