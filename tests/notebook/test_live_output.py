"""An output that changes in place; `test_kernel.py` looks at it in a real kernel."""

from lectr_lab.notebook.live_output import display_and_follow


class Shown:
    """Something to show, which counts how often it was asked."""

    def __repr__(self) -> str:
        return "<shown>"

    def _repr_html_(self) -> str:
        raise AssertionError("a terminal has no use for HTML")


def test_a_terminal_gets_one_line_and_nothing_follows(capsys):
    """What is printed there cannot be changed."""
    assert display_and_follow(Shown(), lambda output: True) is None

    assert capsys.readouterr().out == "<shown>\n"
