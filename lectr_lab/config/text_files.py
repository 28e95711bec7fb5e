"""Files that people write: their text, or an error that says where it is none."""

from pathlib import Path

from lectr_lab.core.errors import ConfigError
from lectr_lab.files import read_regular

_MOST_BYTES = (
    256 * 1024 * 1024
)  # of exports; settings have less, in `core/toml_text.py`


def read_text(path: Path, missing: str = "") -> str:
    """A file's text, its line ends as `\\n`.

    Args:
        path: a file of UTF-8, with or without its mark at the beginning.
        missing: what to do where there is no such file, for the message.

    Raises:
        ConfigError: it cannot be read; names the file, the reason and the line.
    """
    try:
        data = read_regular(path, most_bytes=_MOST_BYTES)
        return text_of(data, str(path))
    except FileNotFoundError:
        raise ConfigError(f"There is no {path}. {missing}".rstrip()) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def text_of(data: bytes, name: str) -> str:
    """What a file holds, as `read_text` gives it.

    >>> text_of(b"port = 1\\r\\n", "lectr.toml")
    'port = 1\\n'
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} cannot be read: line {line} is not UTF-8 text. Save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
