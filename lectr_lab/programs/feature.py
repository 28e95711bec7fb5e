"""The feature that a program's calls are tagged with: where it runs."""

import re
import unicodedata
from pathlib import Path

from lectr_lab.core.headers import MAX_FEATURE_CHARS

NO_BRANCH = "no-branch"
_BRANCH = "{branch}"
_UNSAFE = re.compile(r"[^!-~ ]|[,\"\\]")  # in a list of headers, and in Node's
_MOST_BYTES = 4096
_ID_LETTERS = 7


def feature_of(folder: Path, wish: str | None = None) -> str:
    """The name of a folder, or what is wished for, as every client can send it.

    Args:
        folder: where the program runs; `{branch}` in a wish is what git has there.
        wish: a feature's name.

    Returns:
        Up to 100 printable ASCII characters with no comma in them; empty where there
        is no name, as at the root of a disk.

    >>> feature_of(Path("/home/me/Zürich, Bern"))
    'Zurich- Bern'
    >>> feature_of(Path("/nowhere"), "review-{branch}")
    'review-no-branch'
    """
    name = folder.name if wish is None else wish
    if _BRANCH in name and wish is not None:
        name = name.replace(_BRANCH, branch_of(folder))
    return as_header(name)


def as_header(text: str) -> str:
    """Up to 100 characters of a text, as a header's value that every client can send.

    >>> as_header("Zürich\\n")
    'Zurich-'
    """
    letters = unicodedata.normalize("NFKD", text)
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    return _UNSAFE.sub("-", plain)[:MAX_FEATURE_CHARS].strip()


def branch_of(folder: Path) -> str:
    """The git branch of a folder, read from its files: git need not be there.

    Args:
        folder: in a working tree, or in none.

    Returns:
        The branch; without one the commit's first seven digits; `no-branch` where
        there is neither.
    """
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        if git.is_file():  # a worktree's, or a submodule's, names its folder
            git = parent / _first_line(git).removeprefix("gitdir:").strip()
        head = _first_line(git / "HEAD")
        if head.startswith("ref: refs/heads/"):
            branch = head.removeprefix("ref: refs/heads/")
            return NO_BRANCH if branch.startswith(".") else branch  # of a reftable
        if re.fullmatch("[0-9a-f]{40,64}", head):
            return head[:_ID_LETTERS]
    return NO_BRANCH


def _first_line(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        return text.partition("\n")[0].strip()
    except (OSError, ValueError):
        return ""
