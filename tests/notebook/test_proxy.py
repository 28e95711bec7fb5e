"""The door for cells."""

import html
import os
import re
import shlex
import subprocess
import sys

import httpx
import polars as pl
import pytest

import lectr_lab as lectr
from lectr_lab.core.errors import ProxyError
from lectr_lab.core.masked_key import Key


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """A folder to run cells in, with an empty environment."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("LECTR_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def proxy(cell):
    """A proxy that asks a port where nobody is."""
    with lectr.start(upstream="http://127.0.0.1:1/v1") as running:
        yield running


def test_start_again_finds_the_same_proxy(proxy):
    """A cell that runs twice does not start two."""
    assert lectr.start(upstream="http://127.0.0.1:1/v1") is proxy


def test_start_with_other_wishes_starts_another(proxy):
    """And the first is stopped: one folder, one proxy of this kernel."""
    with lectr.start(upstream="http://127.0.0.1:2/v1") as other:
        assert other is not proxy
        assert not proxy.running


def test_clients_work_through_the_proxy(proxy):
    """A stock client, tagged; its call is in the log, priced and newest first."""
    openai = pytest.importorskip("openai")
    client = proxy.openai(feature="f", task="extraction", max_retries=0)

    with pytest.raises(openai.InternalServerError, match="No connection"):
        client.chat.completions.create(model="gpt-4o", messages=[])
    proxy.stop()

    [row] = proxy.tail().frame.to_dicts()
    assert (row["feature"], row["task"], row["status"]) == ("f", "extraction", 503)
    assert row["cost_usd"] is None


def test_what_was_answered_is_in_the_log(proxy):
    """The next cell finds it, however soon it asks."""
    url, headers = f"{proxy.base_url}/chat/completions", proxy.headers(feature="f")

    for n in range(1, 9):
        httpx.post(url, headers=headers, json={"model": "gpt-4o", "messages": []})
        assert proxy.scan().select(pl.len()).collect().item() == n


@pytest.mark.parametrize("sdk", ["anthropic", "groq"])
def test_other_sdks_have_their_own_door(proxy, sdk):
    """Each SDK's base URL is the one that it wants."""
    module = pytest.importorskip(sdk)
    client = getattr(proxy, sdk)(max_retries=0)

    with pytest.raises(module.InternalServerError):
        if sdk == "anthropic":
            client.messages.create(model="claude-x", max_tokens=1, messages=[])
        else:
            client.chat.completions.create(model="llama3-8b-8192", messages=[])


@pytest.mark.anyio
async def test_async_clients_work_through_the_proxy(proxy):
    """A cell can await."""
    openai = pytest.importorskip("openai")

    async with proxy.async_openai(feature="f", max_retries=0) as client:
        with pytest.raises(openai.InternalServerError, match="No connection"):
            await client.chat.completions.create(model="gpt-4o", messages=[])


def test_a_key_shows_itself_masked_and_works(proxy):
    """However it is printed; and the header carries the real one."""
    shown = [repr(proxy.key), str(proxy.key), f"{proxy.key}", repr(proxy.headers())]
    shown += [repr(proxy), proxy._repr_html_()]
    real = proxy.key.encode().decode()

    assert real.startswith("lc_key_")
    assert not [text for text in shown if real in text]
    reply = httpx.get(f"{proxy.base_url}/models", headers=proxy.headers())
    assert reply.status_code == 503  # let in, and nobody behind it


def test_the_handle_shows_what_to_do_next(proxy):
    """URL, log, requests so far and a snippet that reads the key from LECTR_KEY."""
    html = proxy._repr_html_()

    assert proxy.base_url in html
    assert "waiting for the first request" in html
    assert "LECTR_KEY" in html


def test_the_line_for_a_key_is_right_wherever_it_is_typed(cell, tmp_path_factory):
    """For a folder of any name; the key that it prints opens this proxy."""
    with lectr.start("it's mine & <here>", upstream="http://127.0.0.1:1/v1") as proxy:
        line = re.search("lectr-lab (keys create .+?)</pre>", proxy._repr_html_())
        made = subprocess.run(
            [
                sys.executable,
                "-m",
                "lectr_lab.cli",
                *shlex.split(html.unescape(line[1])),
            ],
            cwd=tmp_path_factory.mktemp("elsewhere"),
            capture_output=True,
            text=True,
            check=True,
        )
        key = re.search(r"LECTR_KEY=(\S+)", made.stdout)
        headers = {"X-Lectr-Key": key[1]}
        reply = httpx.get(f"{proxy.base_url}/models", headers=headers)

    assert reply.status_code == 503  # let in, and nobody behind it


def test_a_stopped_proxy_says_so(proxy):
    """In its display, and as an error where it was needed."""
    proxy.stop()

    assert "stopped" in repr(proxy)
    assert "stopped" in proxy._repr_html_()
    with pytest.raises(ProxyError, match=r"lectr\.start"):
        proxy.health()


def test_lectr_toml_in_the_folder_counts(cell):
    """The same settings as `serve`."""
    (cell / "lectr.toml").write_text("lab = 'mine'\nupstream = 'http://127.0.0.1:1/v1'")

    with lectr.start() as proxy:
        assert proxy.lab == (cell / "mine").resolve()


def test_rules_toml_in_the_folder_counts(cell):
    """With lectr.toml or without; a request names the model, its event both."""
    rule = '[[rules]]\nname = "a"\npriority = 1\nthen = { model = "gpt-4o-mini" }\n'
    (cell / "rules.toml").write_text(rule)
    with lectr.start(upstream="http://127.0.0.1:1/v1") as running:
        httpx.post(
            f"{running.base_url}/chat/completions",
            json={"model": "gpt-4o"},
            headers=running.headers(),
        )

    [row] = lectr.scan(running.lab).collect().to_dicts()
    assert (row["model_requested"], row["model_sent"]) == ("gpt-4o", "gpt-4o-mini")
    assert (row["rule"], row["status"]) == ("a", 503)


def test_an_empty_log_is_an_empty_table_and_a_page(proxy):
    """Not an error: the first cell of a notebook often looks too early."""
    assert proxy.tail().frame.height == 0
    for shown in (proxy.tail()._repr_html_(), repr(proxy.tail())):
        assert "No rows." in shown
    assert lectr.spend(proxy.scan(), by="feature").collect().height == 0
    assert "iframe" in lectr.dashboard(proxy.scan())._repr_html_()


def test_a_missing_folder_is_a_clear_error(cell):
    """Which folder, and what makes one."""
    with pytest.raises(lectr.LabError, match="lectr-lab init"):
        lectr.scan("nowhere")


def test_masking_does_not_change_the_text():
    """A Key is the text in every way but how it looks."""
    assert Key("lc_key_abc") == "lc_key_abc"
    assert len(Key("lc_key_abc")) == 10


def test_the_handle_says_what_budgets_have_left(cell):
    """Those of the folder's lectr.toml, as a table with its frame."""
    (cell / "lectr.toml").write_text('[[budget]]\nusd = 5\nper = "day"\n')
    with lectr.start(upstream="http://127.0.0.1:1/v1") as proxy:
        shown = proxy.budgets()

    assert shown.frame["left_usd"].to_list() == [5.0]
    assert "all requests, a day, warn" in repr(shown)
