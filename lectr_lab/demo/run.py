"""`lectr-lab demo`: the whole main line on recorded traffic, with no key and no network.

A stock OpenAI client sends what was once sent to a real local model; behind the real
proxy plays the recording, which answers as that model did, at the speed at which it did.
"""

import collections
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from openai import APIError, OpenAI
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from lectr_lab.analysis.scan import DEMO_MARK, demo_log, scan
from lectr_lab.analysis.views.summary import (
    FIRST_TO_GO,
    in_short,
    summary,
    totals,
    totals_text,
)
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import LogError
from lectr_lab.dashboards import write_page
from lectr_lab.launch import TAPE, Child, Order, Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import losses
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tables import text_table
from lectr_lab.tape.cassette import Interaction, read_cassettes

RECORDED = "llama"
PRICES = "prices.toml"
PAGE = "report.html"
MINUTE = "recorded-minute.html"
AT_ONCE = 16
FOUR_WEEKS_TITLE = "Four weeks of made-up traffic"
FOUR_WEEKS = (
    (
        "Nobody sent these requests: this is made-up traffic, four weeks of it, whose "
        "shapes are taken from published traces (data/demo/README.md)."
    ),
    f"The traffic that the demo has just replayed was recorded: {MINUTE} shows it.",
)
NOTES = (
    (
        "Recorded traffic: answers, tokens and timings are those of a small base model, "
        "Gemma 3 270M, that llama.cpp ran on one CPU thread (cassettes/PROVENANCE.md)."
    ),
    (
        "The prompts and the prices were made up for this demo (prices.toml): a model "
        "on one's own machine has no list price."
    ),
)


def run_demo(folder: Path, console: Console | None = None) -> Path:
    """Replay the shipped traffic, and write a page of it and one of four weeks.

    Args:
        folder: where `report.html` and the lab folder go. An earlier demo there is
            replaced; anything else there is left alone.
        console: where progress and the table are printed.

    Returns:
        The page of four weeks of made-up traffic; one of the replayed minute is beside it.

    Raises:
        LogError: the folder cannot be written, holds another log, or is the place of
            one's own.
    """
    console = console or Console()
    _spare_others(folder)
    recorded = read_cassettes(shipped_cassettes() / RECORDED)
    with tempfile.TemporaryDirectory(prefix="lectr-demo-") as scratch:
        lab = Path(scratch) / "lab"
        _replay(recorded, lab, console)
        return _report(lab, folder, console)


def _replay(recorded: tuple[Interaction, ...], lab: Path, console: Console) -> None:
    settings = Settings(
        lab=str(lab), port=0, upstream=f"{TAPE}{shipped_cassettes() / RECORDED}"
    )
    session = Session(org="demo")
    proxy = Child(Order(settings=settings, session=session))
    try:
        console.print(f"The proxy listens on {proxy.base_url}, a cassette behind it.")
        _send_all(recorded, f"{proxy.base_url}/v1", session.key, console)
    finally:
        proxy.stop()  # finishes what runs, and seals the log into Parquet


def _send_all(
    recorded: Iterable[Interaction], base_url: str, key: str, console: Console
) -> None:
    client = OpenAI(
        base_url=base_url,
        api_key="none",
        default_headers={"X-Lectr-Key": key},
        max_retries=0,
    )
    requests = list(recorded)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests"),
    )
    pool = ThreadPoolExecutor(AT_ONCE)
    with Progress(*columns, console=console) as progress, client:
        bar = progress.add_task("Replaying", total=len(requests))
        try:
            for _ in pool.map(lambda one: _send(client, one), requests):
                progress.advance(bar)
        finally:
            pool.shutdown(cancel_futures=True)


def _send(client: Any, one: Interaction) -> None:
    """One recorded request, sent as a program would: errors are part of the traffic."""
    body = json.loads(one.request_body)
    tags = _tags(one)
    with contextlib.suppress(APIError):
        if not one.uri.endswith("/chat/completions") or "messages" not in body:
            client.post(
                "/" + one.uri.split("/v1/", 1)[1],
                body=body,
                cast_to=object,
                options={"headers": tags},
            )
            return
        named = {n: body.pop(n) for n in ("model", "messages", "stream") if n in body}
        create = client.chat.completions.create
        reply = create(**named, extra_body=body, extra_headers=tags)
        if named.get("stream"):
            collections.deque(reply, maxlen=0)  # read it to its end


def _tags(one: Interaction) -> dict[str, str]:
    timing = one.timing
    named = {
        "X-Lectr-Feature": timing.feature if timing else None,
        "X-Lectr-Task": timing.task if timing else None,
    }
    return {name: value for name, value in named.items() if value}


def _report(scratch: Path, folder: Path, console: Console) -> Path:
    """Keep the log where the user finds it, and say what is in it."""
    shutil.copy(shipped_cassettes() / PRICES, scratch / PRICES)
    lab = _keep(scratch, folder)
    log = scan(lab)
    shown = in_short(summary(log).collect())
    table = text_table(shown, width=console.width, first_to_go=FIRST_TO_GO)
    heading = "What each feature costs, dearest first"
    console.print(Text(f"\n{heading}\n\n{table}\n"), soft_wrap=True)
    text = totals_text(totals(log).collect().row(0, named=True))
    console.print(Text("\n".join([text, *NOTES])))
    lost = losses(LabFolder(lab))._asdict()
    title = "A recorded minute of a small model"
    minute = write_page(log.lazy(), folder / MINUTE, title=title, notes=NOTES, **lost)
    page = write_page(
        demo_log().lazy(), folder / PAGE, title=FOUR_WEEKS_TITLE, notes=FOUR_WEEKS
    )
    for what, where in {
        "Its page of charts": minute.resolve().as_uri(),
        "Its log, for any Parquet reader": str(lab / "log"),
        "Open this one: four weeks of made-up traffic": page.resolve().as_uri(),
    }.items():
        console.print(Text(f"{what}: {where}"), soft_wrap=True)
    return page


def _spare_others(folder: Path) -> None:
    kept = folder / "lab"
    if kept.resolve() == Path(os.environ.get("LECTR_LAB", "lab")).resolve():
        raise LogError(
            f"{kept} is where your own log is, or will be. Name another folder with "
            "--output."
        )
    if kept.exists() and not (kept / DEMO_MARK).exists():
        raise LogError(
            f"{kept} is not an earlier demo's, so it stays as it is. Name another "
            "folder with --output."
        )


def _keep(scratch: Path, folder: Path) -> Path:
    """Move the log to the folder, in the place of an earlier demo's."""
    kept = folder / "lab"
    (scratch / DEMO_MARK).touch()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(scratch, kept)
    except OSError as error:
        raise LogError(f"{folder} cannot be written: {error.strerror}.") from None
    return kept
