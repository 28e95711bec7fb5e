"""What a proxy's handle shows in a cell: its state, and lines to copy.

No key is part of it: every snippet reads LECTR_KEY.
"""

import html
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lectr_lab.clients import shell_lines
from lectr_lab.core.formatting import NO_MATH


class State(NamedTuple):
    """A proxy as it is now: `health` is its own reply, empty where it gives none."""

    base_url: str
    lab: Path
    health: Mapping[str, Any] | None  # None: it has stopped


SNIPPETS = {
    "Python": """\
import os
from openai import OpenAI

client = OpenAI(
    base_url="{base_url}",
    default_headers={{
        "X-Lectr-Key": os.environ["LECTR_KEY"],
        "X-Lectr-Feature": "my-feature",
    }},
)""",
    "Node": """\
import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: "{base_url}",
  defaultHeaders: {{
    "X-Lectr-Key": process.env.LECTR_KEY,
    "X-Lectr-Feature": "my-feature",
  }},
}});""",
    "curl": """\
curl {base_url}/chat/completions \\
  -H "X-Lectr-Key: $LECTR_KEY" -H "X-Lectr-Feature: my-feature" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\
  -d '{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}}'""",
    "No code change": shell_lines("{root}"),
    "A coding agent, or any program": "lectr-lab run -- claude",
}
_HERE = """\
client = proxy.openai(feature="my-feature", task="classification")  # or anthropic, groq

os.environ |= proxy.environment  # programs that this notebook starts pass through it"""
_ELSEWHERE = """\
A program that this notebook does not start needs a key of its own. This makes one, on \
this kernel's machine:<pre {pre}>lectr-lab keys create my-team --lab {lab}</pre>On another \
machine than this kernel's it also needs a way to the port: VS Code forwards it (Ports \
view), <code>ssh -L {port}:127.0.0.1:{port} …</code> does too, and on JupyterHub \
jupyter-server-proxy serves it under <code>/user/&lt;name&gt;/proxy/{port}/v1</code>."""


def as_text(state: State) -> str:
    """One line, for a terminal.

    >>> as_text(State("http://127.0.0.1:1/v1", Path("lab"), None))
    '<lectr_lab proxy, stopped: http://127.0.0.1:1/v1, log in lab>'
    """
    word = "stopped" if state.health is None else "running"
    return f"<lectr_lab proxy, {word}: {state.base_url}, log in {state.lab}>"


def as_html(state: State) -> str:
    """State and snippets, with no script: it lives in an exported page too."""
    rows = {"proxy": state.base_url, "log": str(state.lab)} | health_rows(state.health)
    cells = "".join(
        f"<tr><th {_CELL}>{html.escape(name)}</th>"
        f"<td {_CELL}>{html.escape(text)}</td></tr>"
        for name, text in rows.items()
    )
    table = f"<table style='margin:0'>{cells}</table>"
    more = "" if state.health is None else _how_to(state)
    return f"<div class='{NO_MATH}'>{table}{more}</div>"


_CELL = "style='text-align:left;padding:2px 12px 2px 0'"
_PRE = "style='margin:4px 0 10px;font-size:12px;background:transparent;color:inherit'"


def snippet_for(name: str, base_url: str) -> str:
    """A snippet with a proxy's address in it.

    >>> snippet_for("No code change", "http://h:1/v1").splitlines()[4]
    'export ANTHROPIC_BASE_URL=http://h:1'
    """
    root = base_url.removesuffix("/v1")
    return SNIPPETS[name].format(base_url=base_url, root=root)


def _how_to(state: State) -> str:
    blocks = [f"<b>In this notebook</b><pre {_PRE}>{html.escape(_HERE)}</pre>"]
    for name in SNIPPETS:
        code = html.escape(snippet_for(name, state.base_url))
        blocks.append(f"<b>{name}</b><pre {_PRE}>{code}</pre>")
    elsewhere = _ELSEWHERE.format(
        port=urlsplit(state.base_url).port,
        lab=html.escape(shlex.quote(str(state.lab))),
        pre=_PRE,
    )
    return (
        "<details style='margin-top:6px'><summary style='cursor:pointer'>"
        f"Send something through it</summary><div style='padding:6px 0 0 14px'>"
        f"{''.join(blocks)}<div>{elsewhere}</div></div></details>"
    )


def health_rows(health: Mapping[str, Any] | None) -> dict[str, str]:
    """What the proxy says of itself, in words.

    >>> health_rows(None)
    {'state': 'stopped; `lectr.start()` starts another'}
    """
    if health is None:
        return {"state": "stopped; `lectr.start()` starts another"}
    if not health:
        return {"state": "running, but /health does not answer"}
    events, in_flight = health["events"], health["in_flight"]
    rows = {"state": "waiting for the first request …"}
    if events["received"] or in_flight:
        rows["state"] = "running; your first request has arrived"
        rows["requests"] = f"{events['received']:,} so far, {in_flight:,} in flight"
    if health["unknown_callers"]:
        rows["refused"] = f"{health['unknown_callers']:,} without a valid X-Lectr-Key"
    if events["dropped"]:
        rows["log incomplete"] = f"{events['dropped']:,} events dropped"
    if health["writer"] != "ok":
        rows["disk"] = "the log cannot be written; requests go on"
    if health["warnings"]:
        rows["warning"] = " ".join(health["warnings"])
    return rows
