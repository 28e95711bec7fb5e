"""The log that the notebooks on agents show: `python tests/clients/agent_runs.py data/agents`.

Real Claude Code and Codex (`versions.toml`) work in an empty folder, through a real
proxy, against the fake provider, whose counts follow their prompts and whose cache
remembers prefixes (`fake_provider/prefix_cache.py`). They are told what to do by marks in
our own words. What is kept is the log: counts and names. By hand; takes two minutes.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from clients.agents import ANTHROPIC_KEY, claude_code, codex
from clients.beside import Client, Door, Start, ended, environment, proxy
from clients.fake_provider import FakeProvider
from clients.fake_provider.prefix_cache import PrefixCache
from clients.install import IN_CI, installed
from lectr_lab.launch import Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata

ORG = "agents-at-a-fake-provider"
_KEY = {"ANTHROPIC_API_KEY": ANTHROPIC_KEY}
_LISTS = (
    '[[tool:Bash {{"command":"seq {0} {1}"}}]]',
    '[[tool:exec_command {{"cmd":"seq {0} {1}"}}]]',
)
_SUBAGENT = (
    '[[tool:Agent {"description":"look","prompt":"look around and say hi",'
    '"subagent_type":"general-purpose"}]]'
)
_CODEX_SUBAGENT = (
    '[[tool:collaboration/spawn_agent {"task_name":"look","fork_turns":"none",'
    '"message":"say hi"}]] [[tool:collaboration/wait_agent {"timeout_ms":120000}]]'
)


def runs(folder: Path) -> Iterator[tuple[str, Client]]:
    """What each does, under which feature: a task, and what was changed between turns."""

    def claude(prompt: str, *options: str) -> Client:
        return claude_code(folder, prompt, _KEY, *options, "--allowedTools=Bash(seq:*)")

    again = "--continue"
    yield "fix-the-build", claude(f"do it {_steps(0, 9)} {_SUBAGENT} {_steps(0, 4, 9)}")
    yield "fix-the-build", claude(f"go on {_steps(0, 3)}", again)
    clock = ("--append-system-prompt", "It is nine o'clock.")
    yield "fix-the-build", claude(f"go on {_steps(0, 3)}", again, *clock)
    fewer = ("--disallowedTools", "WebSearch")
    yield "fix-the-build", claude(f"go on {_steps(0, 3)}", again, *fewer)
    other = ("--model", "claude-opus-4-5")
    yield "fix-the-build", claude(f"go on {_steps(0, 3)}", again, *other)
    yield "write-the-docs", claude(f"do it [[error:529 2]] {_steps(0, 5)}")
    yield "review", codex(folder, f"do it {_steps(1, 6)} {_CODEX_SUBAGENT}")


def _steps(which: int, count: int, first: int = 0) -> str:
    """So many tools one after another, whose results grow."""
    numbers = range(first, first + count)
    return " ".join(_LISTS[which].format(1, 200 + 60 * n) for n in numbers)


def log_of_runs(folder: Path, scratch: Path) -> pl.DataFrame:
    """The rows of all runs, in one home, one after another."""
    lab, home = LabFolder.create(scratch / "lab"), scratch / "home"
    (home / "work").mkdir(parents=True)
    session = Session(org=ORG)
    with FakeProvider(PrefixCache()) as fake, proxy(fake, lab.root, session) as url:
        for feature, client in runs(folder):
            headers = {"X-Lectr-Key": session.key, "X-Lectr-Feature": feature}
            door = Door(url, f"{url}/v1", url, url, headers, fake.url)
            print(feature, _run(client(door, home), door, home), flush=True)
    rows = pl.read_parquet(sorted(lab.log.rglob("*.parquet")), hive_partitioning=False)
    return rows.sort("event_id")


def _run(start: Start, door: Door, home: Path) -> int:
    process = subprocess.Popen(
        start.command,
        env=environment(door, home) | start.environment,
        cwd=home / "work",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return ended(process)


def main(target: Path) -> None:
    """Write the log as one Parquet part."""
    folder = installed(IN_CI)
    if folder is None:
        sys.exit("First: python tests/clients/install.py")
    with tempfile.TemporaryDirectory(prefix="lectr-agents-") as scratch:
        rows = log_of_runs(folder, Path(scratch))
    target.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(
        target / "runs.parquet",
        compression="zstd",
        compression_level=19,
        metadata=file_metadata(),
    )
    print(f"{rows.height} rows")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
