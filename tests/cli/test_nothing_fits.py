"""A filter that no request fits."""

import pytest

from lectr_lab.analysis.scan import demo_log
from lectr_lab.analysis.views.select import select
from lectr_lab.cli.app import app
from lectr_lab.cli.nothing_fits import check_something_fits
from lectr_lab.core.errors import LabError
from lectr_lab.resources import shipped_traffic

DEMO = str(shipped_traffic())


def told(**asked) -> str:
    """What is said of the made-up traffic."""
    with pytest.raises(LabError) as error:
        check_something_fits(demo_log(), select(demo_log(), **asked), **asked)
    return str(error.value)


def test_it_is_named_with_what_is_near():
    """One that is spelt another way, and what there is where none is near."""
    assert told(feature=["suport-chat"]) == (
        "No request in the log fits --feature suport-chat. Of feature there is "
        "support-chat, …."
    )
    assert told(provider="nobody").endswith(
        "there is anthropic, azure, gemini, groq, openai."
    )


def test_a_time_has_no_name_that_is_near():
    """It is said as it was written."""
    assert told(since="2030-01-01") == "No request in the log fits --since 2030-01-01."


def test_what_is_there_and_does_not_meet_is_told():
    """A feature and a model that never came together."""
    assert told(feature="support-chat", model="claude-sonnet-5-5") == (
        "No request in the log fits --feature support-chat and --model claude-sonnet-5-5."
    )


def test_what_fits_passes():
    """And where nothing was asked, an empty log does too."""
    log = demo_log().head(5)

    check_something_fits(log, log, feature="anything")
    check_something_fits(log, log.head(0), feature=None, since=None)


@pytest.mark.parametrize(
    "command",
    [
        ["report"],
        ["report", "--json"],
        ["report", "--compare", "previous"],
        ["sessions"],
        ["recommend"],
        ["export", "--out", "spans"],
    ],
    ids=" ".join,
)
def test_every_command_with_a_filter_ends_with_an_error(
    command, capsys, monkeypatch, tmp_path
):
    """Nothing on the standard output, and 1 for a script."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(LabError, match="fits"):
        app(
            [command[0], DEMO, *command[1:], "--feature", "no-such"],
            exit_on_error=False,
        )

    assert capsys.readouterr().out == ""
