"""What IPython shows of an exception, with keys on every way to it."""

import re
import subprocess
import sys

import pytest
from IPython import get_ipython
from IPython.testing.globalipapp import start_ipython

import lectr_lab.core.errors  # noqa: F401  (all its classes are in the law below)
from lectr_lab.core.errors import LabError
from lectr_lab.notebook.tracebacks import mask_tracebacks

CELLS = """\
%xmode Verbose
import sys, requests, lectr_lab as lectr
proxy = lectr.start(upstream="http://127.0.0.1:1/v1")
open("key.txt", "w").write(proxy.key[:]) and None
proxy, proxy.key, proxy._order, vars(proxy), vars(proxy._child), proxy._order.session
print(proxy.key, f"{proxy.key}", "%s" % proxy.key, proxy.headers(), proxy._order)
openai = proxy.openai(max_retries=0, api_key="none")
openai.default_headers, vars(openai)
openai.chat.completions.create(model="gpt-4o", messages=[])
error = sys.last_value
error.request.headers, error.response.request.headers, vars(error), vars(error.request)
anthropic = proxy.anthropic(max_retries=0, api_key="none")
anthropic.messages.create(model="claude-x", max_tokens=1, messages=[])
sys.last_value.request.headers, vars(sys.last_value)
groq = proxy.groq(max_retries=0, api_key="none")
groq.chat.completions.create(model="llama3-8b-8192", messages=[])
sys.last_value.request.headers, vars(sys.last_value)
reply = requests.get(proxy.base_url + "/models", headers=proxy.headers())
assert reply.status_code == 503, "the key was not sent"
reply.request.headers, vars(reply.request)
proxy.stop()
requests.post(proxy.base_url + "/chat/completions", headers=proxy.headers(), json={})
sys.last_value.request.headers, vars(sys.last_value.request)
openai.chat.completions.create(model="gpt-4o", messages=[])
sys.last_value.request.headers
%tb
%whos
lectr.start(upstream="http://127.0.0.1:1/v1").stop()
requests.post(proxy.base_url + "/chat/completions", headers=proxy.headers(), json={})
1 / 0
"""


@pytest.mark.slow
def test_no_key_is_in_what_a_real_ipython_prints(tmp_path):
    """Of a proxy's parts, of the SDKs' and of requests' exceptions, in Verbose mode."""
    shell = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner"]
    shell += ["--no-confirm-exit", "--colors=NoColor", f"--ipython-dir={tmp_path}"]
    done = subprocess.run(
        shell,
        input=CELLS,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=True,
    )

    shown, key = done.stdout, (tmp_path / "key.txt").read_text()
    assert key.startswith("lc_key_") and key not in shown
    assert shown.count("lc_key_…") > 20
    assert shown.count("InternalServerError") >= 3 and "ZeroDivisionError" in shown
    assert "ConnectionError" in shown and "the key was not sent" not in shown
    # The head that http.client put together: what only the mask hides.
    assert re.search(r"X-Lectr-Key: lc_key_…\\r\\n", shown)


def test_without_ipython_nothing_is_done():
    """A plain Python has tracebacks without variables."""
    mask_tracebacks()


@pytest.fixture(scope="module")
def shell():
    """An IPython of this process, which imported the package before; it masks."""
    made = start_ipython() or get_ipython()
    mask_tracebacks()
    return made


def errors_of_ours(of=LabError):
    """Every class of the tree, as a user meets it."""
    for kind in of.__subclasses__():
        if kind.__module__.startswith("lectr_lab"):
            yield kind
            yield from errors_of_ours(kind)


@pytest.mark.parametrize(
    "kind", [LabError, *errors_of_ours()], ids=lambda kind: kind.__name__
)
def test_an_error_of_ours_is_its_sentence_in_a_cell(kind, shell, capsys):
    """With the line of the cell; `%tb` then has the frames."""
    said = "Write one."
    made = "MissingExtra('x')" if kind.__name__ == "MissingExtra" else f"kind({said!r})"
    shell.user_ns["kind"] = shell.user_ns["MissingExtra"] = kind
    shell.run_cell(f"x = 1\ndef f():\n    raise {made}\n\nf()")
    short = capsys.readouterr().out
    shell.run_line_magic("tb", "")
    full = capsys.readouterr().out

    assert len(short.strip().splitlines()) <= 4
    assert kind.__name__ in short and "line 3: raise" in short and "%tb" in short
    assert said in short or "is not installed" in short
    assert "Traceback" in full and "line 5" in full and kind.__name__ in full


def test_an_error_of_others_keeps_its_frames(shell, capsys):
    """Also where one of ours is its cause: that would hide a fault."""
    code = "import lectr_lab as lectr\ntry:\n    lectr.scan('nosuch')\n"
    shell.run_cell(
        f"{code}except lectr.LabError as error:\n    raise KeyError from error"
    )

    shown = capsys.readouterr().out
    assert "Traceback" in shown and "KeyError" in shown and "folder.py" in shown


def test_who_asks_for_all_of_it_has_it(shell, capsys):
    """`%xmode Verbose` is such a wish."""
    shell.run_line_magic("xmode", "Verbose")
    shell.run_cell("import lectr_lab as lectr\nlectr.scan('nosuch')")
    shell.run_line_magic("xmode", "Context")

    assert "Traceback" in capsys.readouterr().out


@pytest.mark.slow
def test_an_import_is_enough(tmp_path):
    """No `%load_ext`, no proxy; in a terminal as in a kernel."""
    shell = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner"]
    shell += ["--no-confirm-exit", "--colors=NoColor", f"--ipython-dir={tmp_path}"]
    done = subprocess.run(
        shell,
        input="import lectr_lab as lectr\nlectr.scan('nosuch')\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=True,
    )

    assert "LogError: There is no folder nosuch." in done.stdout
    assert "Traceback" not in done.stdout
