"""The table of kinds."""

import pytest

from lectr_lab.log.importers.readers import READERS


@pytest.mark.parametrize("kind", sorted(READERS))
def test_each_kind_says_what_it_is_and_whence_its_shape_is_known(kind):
    """A real file, or documents, and when."""
    reader = READERS[kind]

    assert reader.what
    assert reader.noun
    assert kind == "table" or "2026-" in reader.shape


def test_transcripts_alone_are_histories():
    """What copies others must not overwrite them."""
    assert {kind for kind, reader in READERS.items() if reader.history} == {
        "claude-code",
        "codex",
    }
