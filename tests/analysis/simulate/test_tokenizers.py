"""Which models count a prompt alike."""

import pytest

from lectr_lab.analysis.simulate.tokenizers import same_tokens, tokenizer_of, tokenizers


def test_every_family_says_who_says_so():
    """A source and a day, and no pattern that could not match."""
    for family in tokenizers():
        assert family.source.startswith("https://")
        assert family.models == tuple(glob.lower() for glob in family.models)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o-mini", True),
        ("gpt-4-turbo", "gpt-4.1", False),
        ("claude-opus-4-6", "claude-haiku-4-5", True),
        ("claude-opus-4-6", "claude-opus-4-7", False),
        ("llama-3.1-8b-instant", "meta-llama/llama-3.3-70b", True),
        ("own", "own", True),
        ("own", "other", False),
    ],
)
def test_tokens_carry_over_within_a_family_alone(one, other, same):
    """And what is in no family shares with nobody but itself."""
    assert same_tokens(one, other) == same_tokens(other, one) == same


def test_case_and_path_of_a_name_do_not_matter():
    """Groq writes the maker before the name."""
    assert tokenizer_of("OpenAI/GPT-OSS-20b") == "o200k"
