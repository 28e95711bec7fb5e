"""How wide the output is."""

from lectr_lab.cli.width import wide_console


def test_what_no_terminal_bounds_has_room(monkeypatch, capsys):
    """In a pipe, whatever a terminal around it may say."""
    monkeypatch.setenv("COLUMNS", "40")

    assert wide_console().width == 140
