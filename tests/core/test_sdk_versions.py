"""SDKs too old for the variable that carries a header."""

import os
import subprocess
import sys
from datetime import date

import pytest

from lectr_lab.core.sdk_versions import sdks, too_old

NEWEST = """
import importlib, os, sys
client = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(api_key="x")
print(client.default_headers.get("X-Mine"), client.user_agent)
"""


@pytest.mark.parametrize("sdk", sdks().values(), ids=sdks())
def test_every_row_says_what_to_do(sdk):
    """From which version on, how else, where it was seen and when."""
    name = f"Async{sdk.agent}"
    told = too_old(f"{name} 0.1.0")

    assert all(word in told for word in (sdk.package, sdk.variable, sdk.reads_from))
    assert sdk.in_code in told
    assert too_old(f"{name} {sdk.reads_from}") is None
    assert too_old(f"{name} 99.0.0-beta.1") is None
    assert sdk.source.startswith("https://")
    assert sdk.checked <= date.today()


@pytest.mark.parametrize(
    "agent", ["", "curl/8.5", "OpenAI/Go 1.0.0", "OpenAI/Python", "python-requests/2"]
)
def test_of_any_other_client_nothing_is_said(agent):
    """It may lack the header for any reason."""
    assert too_old(agent) is None


@pytest.mark.parametrize("package", ["openai", "anthropic", "groq"])
def test_the_sdks_of_today_read_the_variable(package):
    """And name themselves as the file says."""
    pytest.importorskip(package)
    [sdk] = (s for n, s in sdks().items() if n.lower() == f"{package}/python")
    done = subprocess.run(
        [sys.executable, "-c", NEWEST, package, sdk.agent.partition("/")[0]],
        env=os.environ | {sdk.variable: "X-Mine: 1"},
        capture_output=True,
        text=True,
        check=True,
    )

    header, agent = done.stdout.strip().split(" ", 1)
    assert header == "1"
    assert agent.startswith(f"{sdk.agent} ")
    assert too_old(agent) is None
