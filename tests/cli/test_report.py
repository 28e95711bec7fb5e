"""`lectr-lab report`, on a lab folder as the proxy leaves it."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from lectr_lab.cli.report import report
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.losses import note_unread, write_losses
from lectr_lab.log.schema import frame
from lectr_lab.log.segment import header

NASTY = '=HYPERLINK("http://x")\x1b[31m\n|<script>`[a](b)'


def an_event(n: int, **fields) -> Event:
    plain = {
        "event_id": bytes(15) + bytes([n]),
        "started_at": datetime.now(UTC) - timedelta(hours=n),
        "org": "acme",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 100.0,
        "provider": "openai",
        "model_actual": "gpt-4o-mini-2024-07-18",
        "input_tokens": 1000,
        "output_tokens": 500,
        "token_source": "provider",
    }
    return Event(**(plain | fields))


@pytest.fixture
def lab(tmp_path):
    """Four requests of three features, one of them named by an enemy."""
    lab = LabFolder.create(tmp_path / "lab")
    features = [{"feature": "chat"}, {"feature": NASTY}, {}, {"feature": "old"}]
    hours = [0, 1, 2, 50]
    events = [an_event(h, **f) for h, f in zip(hours, features, strict=True)]
    frame(events).write_parquet(lab.log / "one.parquet")
    return lab.root


def test_the_table_says_it_all(lab, capsys):
    """A row per group, and the sentence on the whole."""
    report(lab)

    shown = capsys.readouterr().out
    assert "chat" in shown and "untagged" in shown and "$0.00045" in shown
    assert re.search(r"4 requests of \S+ cost \$0\.0018 \(all counted\)", shown)


def test_what_the_sums_lack_is_said_with_the_way_out(lab, capsys):
    """A model without a price, by name and with what to write; a silent stream, too."""
    silent = {"token_source": "absent", "input_tokens": None, "output_tokens": None}
    own = an_event(5, model_actual="our-\x1b[31mown")
    stream = an_event(6, feature="live", stream=True, **silent)
    odd = an_event(7, cache_read_tokens=10**6)
    frame([own, stream, odd]).write_parquet(lab / "log/two.parquet")

    report(lab)

    shown = capsys.readouterr().out
    assert "Without a price: our-<U+001B>[31mown of openai (1)" in shown
    assert "prices.toml" in shown and r'model = "our-\U0000001B[31mown"' in shown
    assert "(say, more cached than input): 1." in shown
    assert "1 streams did not report their tokens: live" in shown
    assert 'stream_options={"include_usage": True}' in shown


def test_json_has_units_and_everything(lab, capsys):
    """Exact numbers under the names of the views."""
    report(lab, format="json", by="feature, model")

    said = json.loads(capsys.readouterr().out)
    assert said["totals"]["spend_usd"] == pytest.approx(0.0018)
    assert {g["feature"] for g in said["groups"]} == {"chat", NASTY, "untagged", "old"}
    assert said["groups"][0]["model"] == "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
def test_no_name_steers_the_terminal(lab, capsys, form):
    """No escape, bell or other control character of a client is printed."""
    report(lab, format=form)

    assert not set(capsys.readouterr().out) & {"\x1b", "\x07", "\x9b"}


def test_csv_is_read_back_and_holds_no_formula(lab, capsys):
    """As many lines as groups, each of one row."""
    report(lab, format="csv")

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4
    assert next(r["feature"] for r in rows if "HYPERLINK" in r["feature"])[0] == "'"


def test_markdown_is_a_table_whatever_the_names_are(lab, capsys):
    """A bar or a tag in a name is text."""
    report(lab, format="md")

    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    bars = {line.replace("\\|", "").count("|") for line in table}
    assert len(table) == 6 and len(bars) == 1
    assert "\\<script\\>" in "".join(table)


def test_the_page_is_of_what_is_reported(lab, tmp_path):
    """One column is drawn; of several, or of time, the features are."""
    page = tmp_path / "r.html"

    report(lab, by="client", html=page)
    assert "Per client" in page.read_text("utf-8")

    report(lab, by="feature,day", html=page)
    assert "Per feature" in page.read_text("utf-8")


def test_a_report_of_one_client(lab, capsys):
    """What has none is told by that name."""
    report(lab, format="json", by="session,client", client=["no client"])

    said = json.loads(capsys.readouterr().out)
    [group] = said["groups"]
    assert (group["session"], group["client"]) == ("no session", "no client")
    assert group["requests"] == said["totals"]["requests"] == 4


def test_filters_and_time(lab, capsys):
    """The last day alone, one feature alone."""
    report(lab, format="json", since="24h")
    assert json.loads(capsys.readouterr().out)["totals"]["requests"] == 3

    report(lab, format="json", feature=["chat", "untagged"])
    assert json.loads(capsys.readouterr().out)["totals"]["requests"] == 2


def test_what_was_dropped_is_said(lab, capsys):
    """A total that lacks events says so."""
    write_losses(LabFolder(lab), "a1", 3)

    report(lab)

    assert "3 dropped" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")
def test_what_could_not_be_read_is_said(lab, tmp_path, capsys):
    """In words, for programs, and on the page; also when no sealer has come to it."""
    folder = LabFolder(lab)
    note_unread(folder, folder.segment(date(2026, 11, 24), "a" * 32), Unread(1, 90, 2))
    folder.segment(date(2026, 11, 24), "b" * 32).write_bytes(header() + b"half")

    report(lab, html=tmp_path / "r.html")
    assert "2 batches unread" in capsys.readouterr().out
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "2 batches (94 bytes, at least 2 events) could not be read" in page

    report(lab, format="json")
    totals = json.loads(capsys.readouterr().out)["totals"]
    assert (totals["unread_batches"], totals["dropped"]) == (2, 0)


def test_the_page_and_the_picture_are_written(lab, tmp_path, capsys):
    """Both, beside what is printed; where they are is said on standard error."""
    page, picture = tmp_path / "r.html", tmp_path / "r.png"

    report(lab, html=page, png=picture)

    assert capsys.readouterr().err == f"Wrote {page}\nWrote {picture}\n"
    assert "<table>" in page.read_text("utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_empty_log_is_a_sentence(tmp_path, capsys):
    """Not a traceback, and in every form."""
    LabFolder.create(tmp_path / "lab")
    for form in ("table", "json", "csv", "md"):
        report(tmp_path / "lab", format=form)

    assert "No request has been logged yet." in capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "md"])
def test_a_filter_that_fits_nothing_is_not_an_empty_log(lab, capsys, form):
    """It says so, for the log does have requests."""
    with pytest.raises(LabError, match="No request in the log fits --feature nobody"):
        report(lab, feature=["nobody"], format=form)

    shown = capsys.readouterr().out
    assert "logged yet" not in shown


@pytest.mark.parametrize(
    "asked",
    [
        {"by": "colour"},
        {"since": "yesterday"},
        {"tz": "Mars"},
        {"html": "no/where.html"},
    ],
)
def test_what_cannot_be_done_is_said(lab, tmp_path, asked):
    """As a LabError, which the command line prints as one line."""
    if "html" in asked:
        asked = {"html": tmp_path / asked["html"]}
    with pytest.raises(LabError):
        report(lab, **asked)


def test_a_missing_folder_is_said(tmp_path):
    """With what makes one."""
    with pytest.raises(LabError, match="lectr-lab init"):
        report(tmp_path / "nowhere")


def test_the_table_is_followed_by_what_a_smaller_model_could_do(tmp_path, capsys):
    """Where there is one; the other formats are for programs, and stay as they are."""
    lab = LabFolder.create(tmp_path / "lab")
    large = {"model_actual": "gpt-5.4", "feature": "triage", "task": "classification"}
    frame([an_event(n, **large) for n in range(9)]).write_parquet(lab.log / "a.parquet")

    report(lab.root)
    table = capsys.readouterr().out
    report(lab.root, format="csv")
    csv_text = capsys.readouterr().out

    assert "What a smaller model could do" in table
    assert "triage" in table.split("What a smaller")[1]
    assert "smaller" not in csv_text


ALIKE = [
    "chat",
    "ch\u200bat",
    "chat\xad",
    "chat\u200e",
    "chat\U000e0041",
    "chat\xa0",
    "a  b",
]


@pytest.mark.parametrize("format", ["table", "csv", "md", "json"])
def test_names_that_look_alike_are_told_apart(tmp_path, capsys, format):
    """In the terminal, a spreadsheet and Markdown by a mark; in JSON they are as sent."""
    lab = LabFolder.create(tmp_path / "lab")
    events = [an_event(n, feature=feature) for n, feature in enumerate(ALIKE)]
    frame(events).write_parquet(lab.log / "one.parquet")

    report(lab.root, format=format)

    shown = capsys.readouterr().out
    assert shown.isascii() or not re.search("[\u200b\xad\u200e\U000e0041\xa0]", shown)
    if format == "json":
        groups = json.loads(shown)["groups"]
        assert sorted(group["feature"] for group in groups) == sorted(ALIKE)
    else:
        plain = shown.replace("\\", "")  # Markdown's
        for code in ("200B", "00AD", "200E", "E0041", "00A0", "0020"):
            assert plain.count(f"<U+{code}>") == 1


@pytest.fixture
def many(tmp_path):
    """Sixty features, the later one the dearer, each in an hour of its own."""
    lab = LabFolder.create(tmp_path / "many")
    events = [
        an_event(n, feature=f"feature-{n:02}", input_tokens=1000 * (n + 1))
        for n in range(60)
    ]
    frame(events).write_parquet(lab.log / "one.parquet")
    return lab.root


@pytest.mark.parametrize("format", ["table", "md"])
def test_of_many_groups_the_dearest_are_shown(many, capsys, format):
    """With how many more there are, and how to see them; `--all` shows every one."""
    report(many, format=format)
    shown = capsys.readouterr().out
    report(many, format=format, all_groups=True)
    whole = capsys.readouterr().out

    found = re.findall(r"feature-\d\d", shown)
    assert found == [f"feature-{n}" for n in range(59, 9, -1)]
    assert "… and 10 more: " in shown and re.search(r"\S?--all shows them", shown)
    assert "60 requests of acme" in shown and "60 requests of acme" in whole
    assert len(re.findall(r"feature-\d\d", whole)) == 60 and "--all" not in whole


def test_of_many_hours_the_latest_are_shown(many, capsys):
    """In the order of time."""
    report(many, by="hour")

    lines = capsys.readouterr().out.splitlines()
    hours = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d", line)]
    assert len(hours) == 50 and hours == sorted(hours)
    assert "… and 10 earlier: " in "\n".join(lines)


def test_programs_get_every_group(many, capsys):
    """However many there are."""
    report(many, format="json")
    assert len(json.loads(capsys.readouterr().out)["groups"]) == 60
    report(many, format="csv")
    assert len(list(csv.DictReader(io.StringIO(capsys.readouterr().out)))) == 60
