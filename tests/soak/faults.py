"""What goes wrong meanwhile: kills of proxies and of their helpers, a full disk.

Each runs until it is over, and counts what it did.
"""

import asyncio
import contextlib
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from soak.ledger import Life
from soak.proxies import Proxies, look
from soak.small_disk import SmallDisk

_SEAL = ("-m", "lectr_lab.log.seal")
_MERGE = ("-m", "lectr_lab.analysis.cells.upkeep")
_COMPACT = ("-m", "lectr_lab.cli", "compact")
_MOST_COPIES = 40
_READER = Path(__file__).with_name("reader.py")


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait; False where it is over meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return True
    return False


async def kill_proxies(
    proxies: Proxies,
    names: Sequence[str],
    lives_s: tuple[float, float],
    chance: random.Random,
    stopping: asyncio.Event,
) -> None:
    """kill -9 of one of them, again and again; each is started again."""
    while await pause(stopping, chance.uniform(*lives_s) / len(names)):
        name = chance.choice(names)
        [life] = [x for x in proxies.alive() if x.name == name]
        await proxies.kill(life)
        await proxies.start(name, life.lab, odd_clock=name == "odd clock")


async def kill_helpers(
    lab: Path, chance: random.Random, stopping: asyncio.Event, counts: Counter[str]
) -> None:
    """Sealers and compactors beside those of the proxies, half of them killed."""
    while await pause(stopping, chance.uniform(0.5, 2.5)):
        program = chance.choice((_SEAL, _MERGE, _COMPACT))
        command = [sys.executable, *program, str(lab)]
        helper = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if chance.random() < 0.5:
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            if helper.returncode is None:
                helper.kill()
                counts["helpers killed"] += 1
        await helper.wait()
        counts["helpers"] += 1


async def read_on(lab: Path, stopping: asyncio.Event) -> dict[str, int]:
    """Readers beside it all; what they saw, in the words of `reader.py`."""
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, str(_READER), str(lab)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reader.stdin
    assert reader.stdout
    said: dict[str, int] = {}
    looks = 0
    while await pause(stopping, 1.5):
        reader.stdin.write(b"\n")
        line = await reader.stdout.readline()
        if not line:
            said["raised: the reader ended"] = 1
            break
        said, looks = json.loads(line), looks + 1
    reader.stdin.close()
    await reader.wait()
    return {**said, "looks": looks}


async def fill_disk(
    disk: SmallDisk, life: Life, stopping: asyncio.Event, counts: Counter[str]
) -> None:
    """Full for some seconds, free for some; free in the end."""
    while await pause(stopping, 4):
        disk.fill(life.pid)
        counts["full disks"] += 1
        await pause(stopping, 6)
        disk.free(life.pid)


async def watch(proxies: Proxies, stopping: asyncio.Event) -> None:
    """Memory, open files and /health of all that live."""
    while await pause(stopping, 1):
        await look(proxies.alive())


async def keep_copies(lab: Path, folder: Path, stopping: asyncio.Event) -> None:
    """Segments as they are now and then: what `flips` is to damage."""
    while await pause(stopping, 5) and len(list(folder.iterdir())) < _MOST_COPIES:
        for segment in sorted((lab / "journal").glob("*.journal"))[:4]:
            with contextlib.suppress(FileNotFoundError):  # sealed a moment ago
                shutil.copy(segment, folder)
