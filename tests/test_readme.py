"""The README is run, and the pages it leads to: Python, commands, tables."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

import lectr_lab as lectr
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.cli.app import app
from lectr_lab.cli.templates import write_rules
from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.tape.cassette import read_cassettes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {
    name: (ROOT / "data" / f"{name}.md").read_text("utf-8")
    for name in ("clients", "commands", "log", "serving", "spend_less", "testing")
}
RECORDED = lectr.shipped_cassettes()


class Block(NamedTuple):
    """A fenced block: its language, and what is in it."""

    language: str
    text: str


BLOCKS = [
    Block(*found)
    for text in (README, *PAGES.values())
    for found in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
]

# The program of the README's test, which sends a request that was recorded.
MY_APP = """
import json
from openai import OpenAI

BODY = json.loads({body!r})

def summarise(text):
    with OpenAI() as client:
        tags = {{"X-Lectr-Feature": "summary"}}
        client.chat.completions.create(**BODY, extra_headers=tags)
"""


def python(word: str) -> str:
    """The one Python block that has a word in it."""
    [block] = [b for b in BLOCKS if b.language == "python" and word in b.text]
    return block.text


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder of one's own to work in."""
    monkeypatch.chdir(tmp_path)
    for name in ("LECTR_LAB", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_readme_is_short():
    """A hundred and twenty lines, each as wide as code; what more there is has pages."""
    lines = README.splitlines()

    assert len(lines) <= 120
    assert not [line for line in lines if len(line) > 100 and "pip install" not in line]
    assert [name for name in PAGES if f"](data/{name}.md" in README] == list(PAGES)


def test_every_python_block_is_run_below():
    """A new one gets a test."""
    blocks = [block for block in BLOCKS if block.language == "python"]
    words = ("lectr.start()", "extra_headers", "lectr.sessions", "lectr.recommend")
    words += ("import my_app",)

    assert [python(word) for word in words] == [block.text for block in blocks]


def test_the_first_cell_starts_a_proxy_and_shows_it(here):
    """As it stands, and before the first request."""
    names: dict = {}
    try:
        exec(python("lectr.start()"), names)  # noqa: S102
        spent = names["lectr"].spend(names["proxy"].scan(), by="feature")
        assert names["proxy"].running
        assert spent.collect().is_empty()
    finally:
        if "proxy" in names:
            lectr.dashboard(names["proxy"], live=True).stop()
            names["proxy"].stop()


def test_the_tags_of_a_call_reach_the_log(here):
    """The client is a stock one; what answers is a recording."""
    cassette = RECORDED / "llama" / "gemma-3-270m-q4_k_m.yaml"
    with lectr.replay(cassette, in_order=True) as proxy:
        exec(python("extra_headers"), {"client": proxy.openai()})  # noqa: S102

        [row] = proxy.events().to_dicts()
        said = row["status"], row["feature"], row["task"]
        assert said == (200, "onboarding-assistant", "generation")


def test_a_session_is_found_by_the_beginning_of_its_id(here):
    """As it stands, but for the id, which is of the reader's own log."""
    log = lectr.demo_log()
    [session] = lectr.sessions(log).head(1).collect()["session"]
    names = {"lectr": lectr}

    exec(python("lectr.sessions").replace("3829a6", session[:13]), names)  # noqa: S102

    assert lectr.session(names["log"], session[:13]).frame["session"][0] == session


def test_recommendations_and_simulations_are_those_of_the_own_log(here, capsys):
    """Made-up traffic before the first request; the rules are those that init writes."""
    write_rules(here)
    names = {"lectr": lectr}

    exec(python("lectr.recommend"), names)  # noqa: S102

    assert capsys.readouterr().out.startswith("Made-up traffic")
    assert len(lectr.recommend(names["log"])) > 0


@pytest.fixture
def project(here) -> Path:
    """What a user has who recorded once: a program, its test, a cassette."""
    [one] = [
        one
        for one in read_cassettes(RECORDED / "simulated" / "openai.yaml")
        if b"simulated: details" in one.request_body
    ]
    (here / "my_app.py").write_text(MY_APP.format(body=one.request_body.decode()))
    (here / "test_budget.py").write_text(python("import my_app"))
    cassettes = here / "cassettes" / "test_budget"
    cassettes.mkdir(parents=True)
    name = "test_a_summary_is_cheap_and_quick"
    for suffix in (".yaml", ".side.json"):
        recorded = RECORDED / "simulated" / f"openai{suffix}"
        (cassettes / f"{name}{suffix}").write_bytes(recorded.read_bytes())
    return here


def run_pytest(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_budget_of_the_readme_is_kept(project):
    """Its test, under pytest, with no key and no network."""
    done = run_pytest(project)

    assert done.returncode == 0, done.stdout


def test_a_budget_that_is_not_kept_says_what_the_readme_shows(project):
    """Word for word."""
    test = project / "test_budget.py"
    test.write_text(test.read_text().replace("0.002", "0.0002"))
    [shown] = [block.text for block in BLOCKS if block.language == ""]

    output = run_pytest(project).stdout

    told = re.sub(r"^E +", "", output, flags=re.MULTILINE)
    assert " ".join(shown.split()) in " ".join(told.split())


def test_the_price_file_can_be_followed(tmp_path):
    """It is TOML of the right form, and prices a model."""
    [block] = [block for block in BLOCKS if block.language == "toml"]
    (tmp_path / "prices.toml").write_text(block.text)

    [price] = read_prices(tmp_path / "prices.toml")

    assert "my-local-model" in str(msgspec.structs.asdict(price))


def command_lines() -> list[str]:
    """Every `lectr-lab …` of the README and the notebooks that is more than a name."""
    notebooks = [
        "".join(cell["source"])
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]
    ]
    found = [
        line
        for text in [README, *PAGES.values(), *notebooks]
        for line in re.findall(
            r"""lectr-lab ([a-z](?:"[^"`\n]*"|[^`'"|#\n\\])*)""", text
        )
    ]
    return sorted({line.split("&&")[0].strip() for line in found})


@pytest.mark.parametrize("line", command_lines())
def test_a_command_that_is_shown_can_be_typed(line):
    """There is such a command, and it takes these arguments; a bare name exists."""
    words = shlex.split(line.replace("…", ""))
    if len(words) == 1 or "--help" in words:
        assert words[0] in set(app)
    else:
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_the_table_of_commands_has_each_of_them_once():
    """Those that the program lists, and no other."""
    cells = re.findall(r"^\| (`[^|]*) \|", PAGES["commands"], re.MULTILINE)
    named = [
        name.removeprefix("lectr-lab ")
        for cell in cells
        for name in re.findall(r"`([^`]+)`", cell)
    ]

    assert sorted(named) == sorted(name for name in app if not name.startswith("-"))


def test_the_table_of_limits_has_each_of_them_once():
    """With what it is unless told, where that is a number of its own."""
    table = PAGES["serving"]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| .* \|$", table, re.MULTILINE)
    told = [(name, row) for row in rows for name in re.findall(r"`([a-z_]+)`", row[0])]
    limits = LimitSettings()
    named = [(name, value) for name, (_, value) in told if hasattr(limits, name)]

    assert sorted(name for name, _ in named) == sorted(limits.__struct_fields__)
    for name, value in named:
        usual = getattr(limits, name)
        assert usual is None or f"{usual:g}" in value.split(", "), name


def test_the_files_that_it_names_are_there():
    """Links, pictures, and what its shell lines run."""
    link = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
    linked = link.findall(README)
    linked += [f"data/{name}" for text in PAGES.values() for name in link.findall(text)]
    shell = "".join(block.text for block in BLOCKS if block.language == "bash")
    run = re.findall(r"(?:bash|-c) (\S+)", shell)

    assert linked and run
    assert not [name for name in linked + run if not (ROOT / name).exists()]
