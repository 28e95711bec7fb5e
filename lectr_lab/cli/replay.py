"""`lectr-lab replay`: recorded traffic behind a proxy on a port, for any program."""

import os
import shlex
from pathlib import Path

from lectr_lab.config.settings import REPLAY_LAB


def replay(
    *cassette: Path,
    port: int = 0,
    speed: float = 1.0,
    ignore: tuple[str, ...] = (),
    in_order: bool = False,
    lab: Path = Path(REPLAY_LAB),
) -> None:
    """Serve cassettes through the proxy until Ctrl-C. Nothing else is reached.

    Example: lectr-lab replay cassettes/chat.yaml --speed 0

    Args:
        cassette: cassettes, or folders of them.
        port: where to listen; 0 is any free one.
        speed: how many times faster than recorded; 0: at once.
        ignore: a field of the request's body that does not count, such as
            `metadata.user`; may be repeated.
        in_order: the n-th request gets the n-th recording, whatever its body says.
        lab: the folder of the log: not your own, for nobody paid for a replay.

    Raises:
        CassetteError: a cassette is missing or cannot be used.
        LabError: the port or the lab folder cannot be used.
    """
    import msgspec

    from lectr_lab.config.settings import settings_here
    from lectr_lab.core.errors import CassetteError
    from lectr_lab.launch import Order, Session, run
    from lectr_lab.tape.cassette import read_cassettes
    from lectr_lab.tape.engine import TapeEngine, played_by
    from lectr_lab.tape.match import Matching, Tape

    if not cassette:
        raise CassetteError("What to replay? lectr-lab replay cassettes/chat.yaml")
    own = settings_here(os.environ)
    settings = msgspec.structs.replace(own, port=port, lab=str(lab))
    session = Session()
    tape = Tape(read_cassettes(cassette), Matching(ignore, in_order))
    run(
        Order(settings=played_by(settings), session=session),
        lambda base_url: _show(base_url, session.key, settings.lab),
        engine=TapeEngine(tape, speed),
    )


def _show(base_url: str, key: str, lab: str) -> None:
    """The key is this replay's alone: it opens nothing but the recordings."""
    from lectr_lab.clients import environment

    print(f"lectr-lab replays on {base_url}. The log is in {lab}. Ctrl-C stops it.\n")
    for name, value in environment(base_url, key, {}).items():
        if name.lower() != "no_proxy":  # a shell may have its own
            print(f"  export {name}={shlex.quote(value)}")
    print(
        "\nSDKs want a provider's key too; any will do, and none is sent.", flush=True
    )
