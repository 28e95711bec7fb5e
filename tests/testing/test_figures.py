"""What a test asks of its log."""

import os
import subprocess
import sys

from lectr_lab.testing.figures import figures

ASK = """
from lectr_lab.core.errors import MissingExtra
from lectr_lab.testing.figures import figures
for ask in figures():
    try:
        ask([], ())
    except MissingExtra as error:
        print(error)
"""


def test_they_are_loaded_once():
    """A test's are those of the test before."""
    assert figures() is figures()


def test_without_the_price_list_each_says_what_brings_it(tmp_path):
    """Nothing fails where no figure is asked for."""
    missing = "raise ModuleNotFoundError(name='genai_prices')"
    (tmp_path / "genai_prices.py").write_text(missing)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])

    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    told = (
        "pip install 'lectr-lab[pytest]' brings genai_prices, which is not installed."
    )
    assert done.stdout.splitlines() == [told] * len(figures())
