"""`%lectr` in a shell of IPython."""

import os

import pytest
from IPython import get_ipython
from IPython.core.error import UsageError
from IPython.testing.globalipapp import start_ipython

from lectr_lab.notebook.proxy import running
from lectr_lab.resources import shipped_cassettes


@pytest.fixture(scope="module")
def ipython():
    shell = start_ipython() or get_ipython()
    shell.run_line_magic("load_ext", "lectr_lab")
    return shell


@pytest.fixture
def lectr(ipython, tmp_path, monkeypatch):
    """Types `%lectr …` in an empty folder; nothing is left running."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("LECTR_")]:
        monkeypatch.delenv(name)
    yield lambda line: ipython.run_line_magic("lectr", line)
    for proxy in running():
        proxy.stop()


def test_start_gives_the_proxy_and_names_it(lectr, ipython, tmp_path):
    """In the variable that every example uses; again, it is the same one."""
    proxy = lectr("start --upstream http://127.0.0.1:1/v1 --lab mine")

    assert proxy.running
    assert proxy.lab == (tmp_path / "mine").resolve()
    assert ipython.user_ns["proxy"] is proxy
    assert lectr("start --upstream http://127.0.0.1:1/v1 --lab mine") is proxy
    assert lectr("") is proxy
    assert lectr("tail 3").frame.height == 0


def test_a_tape_is_not_in_ones_own_log(lectr, tmp_path, monkeypatch):
    """Unless it is asked for: nobody paid for a replay."""
    monkeypatch.setenv("LECTR_LAB", str(tmp_path / "lab"))
    tape = f"tape:{shipped_cassettes() / 'llama'}"

    assert lectr(f"start --upstream {tape}").lab == (tmp_path / "replay-lab").resolve()
    assert not (tmp_path / "lab").exists()
    assert (
        lectr(f"start --upstream {tape} --lab lab").lab == (tmp_path / "lab").resolve()
    )


def test_stop_ends_it_and_says_where_the_log_is(lectr, capsys):
    """And status then says how to start one."""
    proxy = lectr("start --upstream http://127.0.0.1:1/v1")
    lectr("stop")
    assert not proxy.running
    assert str(proxy.lab) in capsys.readouterr().out

    assert lectr("status") is None
    assert "%lectr start" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["dance", "start --upstream ftp://x", "tail many"])
def test_what_it_does_not_know_is_said(lectr, line):
    """A usage error, not a traceback."""
    with pytest.raises(UsageError):
        lectr(line)


@pytest.mark.parametrize(
    "line, offered",
    [
        ("%lectr ", {"start", "stop", "status", "tail"}),
        ("%lectr sta", {"start", "status"}),
        ("%lectr start --", {"--lab", "--upstream", "--port", "--record"}),
        ("%lectr start --port 1 --r", {"--record"}),
        ("%lectr start --lab ", set()),
        ("%lectr stop ", set()),
    ],
)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_the_tab_key_knows_its_words(line, offered, ipython):
    """And the options of `start`; where a file is wanted, nothing of ours."""
    _, matches = ipython.complete(line.split(" ")[-1], line)
    known = {"start", "stop", "status", "tail"}
    known |= {"--lab", "--upstream", "--port", "--record"}

    assert known & set(matches) == offered
