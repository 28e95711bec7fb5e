"""What a program's calls are tagged with."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.programs.feature import as_header, branch_of, feature_of


def test_a_feature_is_the_folders_name_or_the_wish(tmp_path):
    """A branch is filled into a wish alone; the root of a disk has no name."""
    assert feature_of(tmp_path / "my app") == "my app"
    assert feature_of(tmp_path, "mine") == "mine"
    assert feature_of(tmp_path / "{branch}") == "{branch}"
    assert feature_of(tmp_path.parents[-1]) == ""


@given(st.text())
def test_every_name_can_be_sent(text):
    """Printable ASCII, at most a hundred, with nothing that ends it in a list."""
    sent = as_header(text)

    assert len(sent) <= 100 and sent == sent.strip()
    assert sent.isascii() and (sent.isprintable() or not sent) and "," not in sent


@given(st.from_regex(r"[a-z][a-z0-9._/-]{0,98}", fullmatch=True))
def test_a_plain_name_stays(text):
    """As it is recommended to be, and with what branches have."""
    assert as_header(text) == text


@pytest.fixture
def repository(tmp_path):
    """A working tree with a commit, by git itself."""
    if shutil.which("git") is None:
        pytest.skip("needs git to compare with")

    def git(*words: str) -> str:
        options = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        command = ["git", "-C", str(tmp_path), *options, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch", "feat/x")
    return git


def test_a_branch_is_gits(repository, tmp_path):
    """Before its first commit, in a folder below, in a worktree, and on no branch."""
    (tmp_path / "below").mkdir()
    assert branch_of(tmp_path / "below") == "feat/x"

    repository("commit", "--quiet", "--allow-empty", "--message", "first")
    repository("worktree", "add", "--quiet", "-b", "side", "tree")
    assert branch_of(tmp_path / "tree") == "side"

    repository("checkout", "--quiet", "--detach")
    assert branch_of(tmp_path) == repository("rev-parse", "HEAD")[:7]


def test_without_a_repository_there_is_no_branch(tmp_path):
    """Nor where git keeps it in another way."""
    assert branch_of(tmp_path) == "no-branch"
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/.invalid\n")
    assert branch_of(tmp_path) == "no-branch"
    assert feature_of(tmp_path, "fix-{branch}") == "fix-no-branch"
