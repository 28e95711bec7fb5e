"""Labels, from mappings and files."""

import pytest

from lectr_lab.core.errors import ConfigError
from lectr_lab.evaluation.labels import read_labels


def test_files_say_what_a_mapping_says(tmp_path):
    """JSONL and TOML; a label that is an object becomes JSON."""
    lines = '{"prompt": "a  b", "label": "yes"}\n\n{"prompt": "c", "label": {"x": 1}}\n'
    (tmp_path / "l.jsonl").write_text(lines)
    toml = '[[label]]\nprompt = "a b"\nlabel = "yes"\n[[label]]\nprompt = "c"\n'
    (tmp_path / "l.toml").write_text(toml + "label = {x = 1}\n")
    expected = read_labels({"a b": "yes", "c": '{"x":1}'})

    assert read_labels(tmp_path / "l.jsonl") == expected
    assert read_labels(str(tmp_path / "l.toml")) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.jsonl", '{"prompt": "a", "label": "b"}\n{"secret": 1}', "line 2"),
        ("l.toml", "[[label]]\nprompt = 3", "line 2: label number 1: prompt: expected"),
        ("l.toml", "secret = ", "tables"),
    ],
)
def test_a_wrong_file_is_named_without_its_content(tmp_path, name, text, message):
    """Labels are content."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        read_labels(tmp_path / name)
    assert "secret" not in str(raised.value)
    with pytest.raises(ConfigError, match="There is no"):
        read_labels(tmp_path / "none.jsonl")
