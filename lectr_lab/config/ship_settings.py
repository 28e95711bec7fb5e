"""`[ship]` in lectr.toml: which prefix of an object store a lab is shipped to."""

import re
from urllib.parse import urlsplit

import msgspec

_STRANGE = re.compile(r"""[%?#*\[\]{}\\|<>^`"\x00-\x1f\x7f]""")
_SCHEMES = ("s3", "gs", "az", "file")
_LEAST_EVERY_S = 1.0
_MOST_EVERY_S = 86_400.0


class ShipSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Where sealed rows go, how often, and what else is done there.

    `to` is a URL without credentials, which are in the environment alone. Rows are put
    after `every_s` seconds, or as soon as there are `rows`. `compact` merges what was put
    for days that have ended, whoever put it; any number of machines may do so.
    `instance_credentials` asks this machine's metadata address for credentials.
    """

    to: str
    every_s: float = 900.0
    rows: int = 1_000
    compact: bool = True
    instance_credentials: bool = False

    def fault(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write.

        >>> ShipSettings(to="bucket").fault()
        ('to', 'write s3://bucket/prefix, gs://…, az://… or file:///folder')
        """
        if fault := place_fault(self.to):
            return "to", fault
        if not _LEAST_EVERY_S <= self.every_s <= _MOST_EVERY_S:
            return "every_s", "write a number of seconds, 1 to 86400"
        if self.rows < 1:
            return "rows", "write a number above 0"
        return None


def place_fault(url: str) -> str | None:
    """Why a URL names no prefix of an object store; None where it does.

    >>> place_fault("s3://bucket/prefix")
    >>> place_fault("s3://key:secret@bucket/prefix")
    'write no credentials into it; they are read from the environment'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return "write s3://bucket/prefix, gs://…, az://… or file:///folder"
    if "@" in parts.netloc or "=" in parts.query or "=" in parts.fragment:
        return "write no credentials into it; they are read from the environment"
    if _STRANGE.search(url):  # one library writes them otherwise than another
        return "write a prefix of letters, digits and - _ . = + alone"
    if parts.scheme == "file":
        fine = not parts.netloc and len(parts.path) > 1
        return None if fine else "write a whole path: file:///folder"
    if not parts.netloc:
        return "name a bucket: s3://bucket/prefix"
    prefix = parts.path.strip("/")
    if prefix and any(word in ("", ".", "..") for word in prefix.split("/")):
        return "write a plain prefix, without empty words or dots"
    return None
