"""What looks like a secret and is none."""

import base64
import random

import pytest

from lectr_lab.tape.known_values import (
    harmless_forms,
    is_harmless,
    kind_of_member,
    known_members,
)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("id call_id tool_call_id toolCallId response_id previous_response_id", "id"),
        ("item_id responseId request_id system_fingerprint file_ids commit_sha", "id"),
        ("model token user prompt_cache_key next_page_token etag", "id"),
        ("signature thought_signature thoughtSignature encrypted_content", "opaque"),
        ("data b64_json embedding obfuscation encrypted_index image", "opaque"),
        ("content text arguments input paid valid grid description", "plain"),
    ],
)
def test_members_are_known_by_their_names(names, kind):
    """However they are written."""
    assert {kind_of_member(name.encode()) for name in names.split()} == {kind}


@pytest.mark.parametrize(
    "word",
    """toolu_01A09q90qw90lq917835lq9 call_8fK2mP4vQ8rT1wZ6yB3nL7cJ msg_01XFDUDYJgAACzvnptvVoYEL
    chatcmpl-9xKJmP4vQ8rT1wZ6yB3nL7 fp_44709d6fcb req_011CQ8rT1wZ6yB3nL7cJ5hF0
    123e4567-e89b-12d3-a456-426614174000 da39a3ee5e6b4b0d3255bfef95601890afd80709
    sha512-Xn8Fq2mP4vQ8rT1wZ6yB3nL7cJ5hF0dGaA== iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB
    AAAAC3NzaC1lZDI1NTE5AAAAIGk9X2mP4vQ8 M17a15H3v2h14v2Zm0l8h6v2h6V7Z""".split(),
)
def test_ids_hashes_and_files_are_known_by_their_form(word):
    """Wherever they stand."""
    assert is_harmless(word.encode())


def test_what_is_random_has_none_of_these_forms():
    """A thousand at random, as tokens are."""
    dice = random.Random(2)
    words = (base64.urlsafe_b64encode(dice.randbytes(30)) for _ in range(1000))

    assert not any(map(is_harmless, words))


def test_every_row_has_a_source():
    """A page, and why it is so."""
    for row in (*known_members(), *harmless_forms()):
        assert "https://" in row.source
        assert row.why.endswith(".")
