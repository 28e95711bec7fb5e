"""The check of IRIs, loaded late."""

import subprocess
import sys

CHECKED = """\
import sys
import lectr_lab.charts

assert "lark" not in sys.modules
assert "rfc3987_syntax" not in sys.modules

from jsonschema import FormatChecker

checks = FormatChecker()
assert checks.conforms("https://münchen.example/ä", "iri")
assert not checks.conforms("no iri", "iri")
assert "lark" in sys.modules
"""


def test_charts_load_no_grammar_and_iris_are_checked_as_before():
    """It is loaded by the first IRI that is checked."""
    subprocess.run([sys.executable, "-c", CHECKED], check=True, timeout=120)


def test_a_grammar_that_is_there_is_left():
    """Another program's import of it came first."""
    first = "import sys, rfc3987_syntax as own; import lectr_lab.charts; "
    first += "assert sys.modules['rfc3987_syntax'] is own"
    subprocess.run([sys.executable, "-c", first], check=True, timeout=120)
