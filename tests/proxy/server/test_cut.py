"""The parser stops where a message may end."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.server.cut import Cuts

HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
BODY = b"\r\n\r\n\r\n"


def ends(pieces: list[bytes]) -> list[int]:
    """Where it stopped, counted from the first byte; a body follows each second head."""
    cuts, found, before, heads = Cuts(), [], 0, 0
    for piece in pieces:
        at = 0
        while at < len(piece):
            was_body = cuts.body_left
            at = cuts.end(piece, at, len(piece))
            found.append(before + at)
            if not was_body and (before + at) in HEAD_ENDS:
                heads += 1
                cuts.body_left = len(BODY) if heads % 2 == 0 else 0
        before += len(piece)
    return found


ALL = (HEAD + HEAD + BODY) * 3
HEAD_ENDS = {
    n * (2 * len(HEAD) + len(BODY)) + k * len(HEAD) for n in range(3) for k in (1, 2)
}
BODY_ENDS = {(n + 1) * (2 * len(HEAD) + len(BODY)) for n in range(3)}


@given(st.lists(st.integers(0, len(ALL)), max_size=40).map(sorted))
def test_at_every_end_however_it_is_cut(cuts):
    """And elsewhere only where what was there ended, a body's empty lines included."""
    pieces = [ALL[a:b] for a, b in zip([0, *cuts], [*cuts, len(ALL)], strict=True)]

    found = ends(pieces)

    assert set(found) - set(cuts) <= HEAD_ENDS | BODY_ENDS
    assert set(found) >= HEAD_ENDS | BODY_ENDS
