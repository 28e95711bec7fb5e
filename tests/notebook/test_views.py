"""What a cell shows of a log and its views."""

import inspect

import msgspec
import polars as pl
import pytest
from IPython.core.formatters import DisplayFormatter
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.views import spend as spending
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.schema import frame
from lectr_lab.notebook.views import View
from lectr_lab.tables import table
from lectr_lab.tables.html import without_scripts


@pytest.fixture(scope="module")
def log():
    return lectr.demo_log()


def shown(thing):
    """What IPython makes of the last line of a cell."""
    data, _ = DisplayFormatter().format(thing)
    return data


@pytest.mark.parametrize("name", ["spend", "latency", "errors", "tokens", "summary"])
def test_a_view_at_the_end_of_a_cell_is_its_table(log, name):
    """The same as `table` shows, as HTML and as text, and no query plan."""
    view = getattr(lectr, name)(log)

    data = shown(view)

    expected = table(view)
    # The exact values of two queries may differ in their last digit.
    still = without_scripts(data.pop("text/html"))
    assert still == without_scripts(expected._repr_html_())
    assert data == {"text/plain": repr(expected)}


def test_what_is_made_of_a_view_is_shown_too(log):
    """Filtered, sorted or cut; and a new grouping of it."""
    view = lectr.spend(log)

    few = view.filter(pl.col("feature") == "support-chat").select("feature").head(1)

    assert shown(few)["text/plain"] == "feature\nsupport-chat"


def test_a_log_says_what_it_holds_and_its_last_requests(log):
    """In words, made-up data by its org's name; the newest request first."""
    text = shown(log)["text/plain"]

    newest = log.select(pl.col("started_at").max()).collect().item()
    assert "16,222 requests of made-up-data cost $" in text
    assert f"{newest:%Y-%m-%d %H:%M:%S}" in text.splitlines()[2]
    assert len(text.splitlines()) < 30


def test_a_part_of_a_log_says_what_that_part_holds(log):
    """It is a log as well; without its columns it is any other frame."""
    part = log.filter(pl.col("feature") == "support-chat")

    assert "3,722 requests" in shown(part)["text/plain"]
    assert shown(part.select("org").head(1))["text/plain"] == "org\nmade-up-data"


def test_an_empty_log_is_shown(tmp_path):
    """Nothing was logged yet, and no error."""
    assert "No request has been logged yet." in shown(lectr.scan(tmp_path))["text/html"]


def test_a_long_view_shows_its_first_rows_and_how_many_more(log):
    """So that a cell stays small."""
    events = lectr.spend(log, by=["feature", "event_id"])

    text = shown(events)["text/plain"]

    rows = events.select(pl.len()).collect().item()
    assert f"all others ({rows - 50:,})" in text.splitlines()[-2]
    assert "b'" not in text


def test_a_view_that_cannot_be_read_says_why(log):
    """In one line, in the place of the table."""
    text = shown(lectr.spend(log).select("nothing"))["text/plain"]

    assert text.startswith('This cannot be read: unable to find column "nothing"')
    assert len(text.splitlines()) == 1


def test_what_is_missing_in_a_log_is_said_in_short(log):
    """Not with the names of all the columns that it has."""
    text = shown(log.filter(pl.col("nothing") > 1))["text/plain"]

    assert "nothing" in text and len(text) < 250


def test_strings_of_clients_are_escaped(log_of_one):
    """As in every table."""
    html = without_scripts(shown(lectr.spend(log_of_one))["text/html"])

    assert "&lt;script&gt;" in html and "<script>" not in html


def test_sessions_are_shown_with_what_one_costs(log):
    """The dearest first, and a sentence below; without any, how to have some."""
    named = log.with_columns(session=pl.col("user").fill_null("s-1"))

    text = shown(lectr.sessions(named.head(50)))["text/plain"]

    assert text.startswith("Sessions") and "A session costs $" in text
    assert "X-Lectr-Session" in shown(lectr.sessions(log.head(0)))["text/plain"]


@pytest.fixture
def log_of_one():
    from lectr_lab.analysis.pricing.priced import priced

    names = frame([]).schema
    row = pl.DataFrame({"feature": ["<script>"], "kind": ["request"]})
    nulls = [pl.lit(None, t).alias(n) for n, t in names.items() if n not in row.columns]
    return priced(row.with_columns(nulls).select(list(names)).lazy())


def test_a_view_is_a_lazy_frame_as_analysis_gives_it(log):
    """Collected, it is the same frame; its help and signature are those of analysis."""
    view = lectr.spend(log)

    assert isinstance(view, View)
    assert type(view.collect()) is pl.DataFrame
    assert_frame_equal(view.collect(), spending.spend(log).collect())
    assert inspect.signature(lectr.spend) == inspect.signature(spending.spend)
    assert lectr.spend.__doc__ == spending.spend.__doc__


def test_a_name_in_a_debugger_runs_no_query(log):
    """`repr` names the frame, as polars does."""
    view = lectr.spend(log).select("nothing")

    assert repr(view).startswith("<View at")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in; nothing says where the log is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LECTR_LAB", raising=False)
    return tmp_path


def test_scan_without_a_lab_is_the_own_log_and_says_so(here, capsys):
    """The one that lectr.toml names, with a request that is not sealed yet."""
    (here / "lectr.toml").write_text('lab = "ours"')
    writer = JournalWriter(LabFolder.create(here / "ours"))
    writer.append([msgspec.structs.replace(events(requests=1)[0], org="me")])
    writer.close()

    log = lectr.scan()

    assert log.collect()["org"].to_list() == ["me"]
    assert capsys.readouterr().out == f"Your own log: {here / 'ours'}\n"
    assert isinstance(log.lazy(), View)


@pytest.mark.parametrize("made", [False, True])
def test_scan_without_a_lab_or_a_request_is_made_up_and_says_so(made, here, capsys):
    """Who looks before the first request sees four weeks, and that they are not his."""
    if made:
        LabFolder.create(here / "lab")

    log = lectr.scan()

    assert log.select("org").unique().collect().item() == "made-up-data"
    said = capsys.readouterr().out
    assert said.startswith("Made-up traffic") and str(here / "lab") in said


def test_scan_of_a_lab_says_nothing_and_makes_nothing_up(here, capsys):
    """Whoever names one gets it, empty as it is."""
    LabFolder.create(here / "lab")

    assert lectr.scan("lab").collect().is_empty()
    assert capsys.readouterr().out == ""


def test_what_the_cache_missed_is_shown_with_what_to_change():
    """Groups that were watched, columns that say something, and the advice below."""
    log = lectr.demo_log()
    found = shown(lectr.cache(log))["text/plain"]

    assert "coding-agent: Most is lost" in found
    assert "requests were watched" in found
    assert "ticket-triage" not in found.partition("requests were watched")[0]
    assert "advice" not in found.splitlines()[1]
    assert (
        "requests were watched"
        in shown(lectr.cache(log, by=None, org="x"))["text/plain"]
    )


def test_whoever_shows_html_gets_the_table():
    """Notebooks ask for a bundle, marimo for something to display, others for HTML."""
    view = lectr.spend(lectr.demo_log())
    bundle = view._repr_mimebundle_()["text/html"]

    assert view._repr_html_() == bundle == view._display_()._repr_html_()
    assert 'class="lectr-table' in bundle
