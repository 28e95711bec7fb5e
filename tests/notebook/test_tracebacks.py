"""What IPython shows of an exception, with keys on every way to it."""

import re
import subprocess
import sys

import pytest

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
