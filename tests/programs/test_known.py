"""What is known of programs."""

import re

import pytest

from lectr_lab.core.registry import registry
from lectr_lab.programs.known import ANY, holds, known, programs

# The terms of a condition; logins are those that `programs/logins.py` can find.
_TERM = re.compile(r"!?[A-Z_]+(=\w+)?|!?(login|settings)\.\w+")


@pytest.mark.parametrize("name", programs())
def test_each_is_whole(name):
    """It can be started or says why not; what it asks for can be told; its vendors
    are providers; no text of it is wider than a terminal's line of thought."""
    program = programs()[name]

    assert program.source and bool(program.refused) != bool(program.parts)
    assert program.refused or name == ANY or (program.install and program.versions)
    conditions = [c for rule in (*program.parts, *program.notices) for c in rule.when]
    terms = [term for condition in conditions for term in condition.split("|")]
    assert not [term for term in terms if not _TERM.fullmatch(term)]
    assert {part.vendor for part in program.parts} <= registry().keys()


def test_no_program_is_given_a_providers_key():
    """Nor is one of its own switched off: such variables are only asked about."""
    given = {
        name
        for program in programs().values()
        for part in program.parts
        for name in (*part.urls, *part.lines, *part.commas, *part.set, *part.json)
    }

    assert given
    assert not [name for name in given if re.search("API_KEY|TOKEN", name)]


def test_a_program_is_known_by_its_file():
    """Wherever that lies; every other one is any."""
    assert known("/opt/node/bin/claude") is programs()["claude"]
    assert known("./claude.py") is known("") is programs()[ANY]


@pytest.mark.parametrize(
    ("when", "so"),
    [
        ([], True),
        (["A"], True),
        (["B"], False),
        (["A|B"], True),
        (["!A|B"], False),
        (["!B|C"], True),
        (["A", "B"], False),
    ],
)
def test_conditions_all_hold_or_none_counts(when, so):
    """Either of what | stands between; ! says no to the whole."""
    assert holds(when, {"A"}) is so
