"""An error names the line."""

import pytest

from lectr_lab.config.toml_errors import line_of


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("a = 1\nport = 3", "port", 2),
        ("[orgs.acme]\n  port=1", "port", 2),
        ("[orgs.acme.azure]", "azure", 1),
        ("# port = 1\nreport = 1", "port", None),
    ],
)
def test_a_field_is_found_where_it_is_set(text, field, line):
    """Or where its table begins; not in comments, not in longer names."""
    assert line_of(text, field) == line
