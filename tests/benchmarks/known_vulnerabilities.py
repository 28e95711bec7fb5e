"""Ask whether a pinned dependency has a known vulnerability.

`python tests/benchmarks/known_vulnerabilities.py [--constraints FILE] [--index URL]`

One question about all pins goes to OSV, which gathers the advisories of PyPI, GitHub and
others. Nothing but names and versions leaves the machine.

    exit 0      none is known; or no index could be reached, which is said plainly
    exit 1      some are known: each is named, with where to read about it

Source: https://google.github.io/osv.dev/post-v1-querybatch/, read on 30 Nov 2026.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

INDEX = "https://api.osv.dev/v1/querybatch"
_CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
_WITHIN_S = 30.0


class Pin(NamedTuple):
    """A package at a version."""

    name: str
    version: str


class NoIndex(Exception):
    """None could be reached, or it does not answer as OSV does. Says why."""


def pins(text: str) -> list[Pin]:
    """What a file of `name==version` lines pins.

    >>> pins("# ours\\nhttpx==0.28.1\\n")
    [Pin(name='httpx', version='0.28.1')]
    """
    lines = (
        line.partition("#")[0].partition(";")[0].split("==")
        for line in text.splitlines()
    )
    return [Pin(*map(str.strip, line)) for line in lines if len(line) == 2]


def known(asked: list[Pin], index: str = INDEX) -> dict[Pin, list[str]]:
    """The ids of what is known of each pin, where anything is.

    Raises:
        NoIndex: nobody can say.
    """
    queries = [
        {"package": {"name": pin.name, "ecosystem": "PyPI"}, "version": pin.version}
        for pin in asked
    ]
    body = json.dumps({"queries": queries}).encode()
    request = Request(index, body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=_WITHIN_S) as reply:
            results = json.load(reply)["results"]
        ids = [[vuln["id"] for vuln in found.get("vulns", ())] for found in results]
    except HTTPError as error:
        raise NoIndex(f"it answered {error.code}") from None
    except OSError as error:
        raise NoIndex(
            f"it cannot be reached ({getattr(error, 'reason', error)})"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoIndex("its answer is none of OSV's") from None
    if len(ids) != len(asked):
        raise NoIndex(f"it answered {len(ids)} of {len(asked)} questions")
    return {pin: some for pin, some in zip(asked, ids, strict=True) if some}


def main() -> int:
    """Ask and say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--constraints", type=Path, default=_CONSTRAINTS)
    parser.add_argument("--index", default=INDEX)
    asked = parser.parse_args()
    all_of_them = pins(asked.constraints.read_text("utf-8"))
    try:
        found = known(all_of_them, asked.index)
    except NoIndex as why:
        print(f"NOT CHECKED for known vulnerabilities: {len(all_of_them)} pins. Of the")
        print(f"index, {asked.index}: {why}.")
        return 0
    for pin, ids in found.items():
        print(f"{pin.name} {pin.version}")
        print(
            "".join(f"  https://osv.dev/vulnerability/{one}\n" for one in ids), end=""
        )
    print(f"{len(found)} of {len(all_of_them)} pins have known vulnerabilities.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
