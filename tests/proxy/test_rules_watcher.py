"""The last rules that could be followed stay, whatever becomes of the file."""

import threading
import time

import pytest

from lectr_lab.proxy.rules_watcher import RuleBook

RULE = '[[rules]]\nname = "{0}"\npriority = 1\nthen = {{ model = "m" }}\n'


@pytest.fixture
def path(tmp_path):
    """Where the rules are, or will be."""
    return tmp_path / "rules.toml"


def names(book: RuleBook) -> list[str]:
    return [rule.name for rule in book.rules]


def test_no_file_is_no_rules_and_no_problem(path):
    """Nothing is said either."""
    said = []
    book = RuleBook(path, said.append)

    book.look()

    assert (book.rules, book.problem, said) == ((), None, [])
    assert RuleBook(None).about() == {"in_force": 0, "problem": None}


def test_a_change_is_followed_at_the_next_look(path):
    """A new file, an edit in place, a rename over it."""
    said = []
    book = RuleBook(path, said.append)
    path.write_text(RULE.format("a"))
    book.look()
    assert names(book) == ["a"]

    path.write_text(RULE.format("b") + RULE.format("c"))
    book.look()
    assert names(book) == ["b", "c"]

    aside = path.with_suffix(".new")
    aside.write_text(RULE.format("d"))
    aside.rename(path)
    book.look()
    assert names(book) == ["d"]
    assert said[-1] == "rules: 1 in force, 0 disabled."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[[rules]", "rules.toml is not valid TOML"),
        (RULE.format("a").replace("model", "modle").encode(), "line 4: rule 'a'"),
        (b"#\n\xff", "rules.toml cannot be read: line 2 is not UTF-8 text."),
    ],
)
def test_a_broken_file_keeps_the_old_rules_and_says_so_once(path, data, problem):
    """And when it is mended, the problem is gone."""
    said = []
    book = RuleBook(path, said.append)
    path.write_text(RULE.format("old"))
    book.look()
    path.write_bytes(data)

    for _ in range(3):
        book.look()

    assert names(book) == ["old"]
    assert problem in book.problem
    assert problem in said[-1] and len(said) == 2
    path.write_text(RULE.format("old"))
    book.look()
    assert (names(book), book.problem) == (["old"], None)


def test_a_file_that_is_gone_for_a_moment_is_still_followed(path):
    """Editors write anew; who deletes the file has no rules a look later."""
    book = RuleBook(path, lambda _: None)
    path.write_text(RULE.format("a"))
    book.look()
    path.unlink()

    book.look()
    assert names(book) == ["a"]
    book.look()
    assert names(book) == []


def test_a_folder_in_the_files_place_is_a_problem(path):
    """Any error of the system's is one, and no exception."""
    path.mkdir()
    book = RuleBook(path, lambda _: None)

    book.look()

    assert book.problem == "rules.toml cannot be read: IsADirectoryError."


def test_a_running_book_looks_every_second_and_stops(path):
    """In a thread of its own."""
    book = RuleBook(path, lambda _: None)
    book.start()
    path.write_text(RULE.format("a"))

    deadline = time.monotonic() + 5
    while not book.rules and time.monotonic() < deadline:
        time.sleep(0.05)
    book.stop()

    assert names(book) == ["a"]
    assert "lectr-rules" not in [thread.name for thread in threading.enumerate()]
