"""What looks like a secret, and what only nearly does."""

import base64
import random

import pytest
from cpu_time import cpu_s

from lectr_lab.tape.secret_words import (
    is_likely,
    is_no_word,
    looks_random,
    secret_words,
)

RANDOM = base64.urlsafe_b64encode(random.Random(4).randbytes(30)).decode()
HARMLESS = """test_fourier_uniform_real01 getElementsByClassName2 HTTP_500_INTERNAL_SERVER_ERROR
    deepseek/deepseek-r1-distill-qwen-14b Qwen/Qwen3-VL-235B-A22B-Instruct-2507
    claude-3-5-sonnet-20241022 accounts/fireworks/models/llama4-maverick-instruct-basic
    interleaved-thinking-2025-05-14,context-management-2025-06-27 text-embedding-3-small
    da39a3ee5e6b4b0d3255bfef95601890afd80709 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd1
    123e4567-e89b-12d3-a456-426614174000 0x71C7656EC7ab88b098defB751B7401B5f6d8976F
    abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 SGVsbG8sIHdvcmxkISBIb3c=
    src/components/UserProfile2/index.module.css /home/me/Projects/Lab2/notebooks/Untitled1.ipynb
    https://github.com/litestar-org/litestar/blob/v2.1.0/litestar/handlers/base.py#L120-L145
    Donaudampfschifffahrtsgesellschaftskapitaen2 isES2015MapSupported=isES2015MapSupported
    toolu_01A09q90qw90lq917835lq9 call_8fK2mP4vQ8rT1wZ6yB3nL7cJ sha256-AbCdEf0123456789aBcDeFgHiJk=
    bigIntAndBufferInt64Check MCC_SetSlowCompTauX20Enable 2024-05-01T10:00:00.123456Z
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk data:image/png;base64,k9X2mP4vQ8rT1wZ6yB3nL7cJ5h
""".split()


@pytest.mark.parametrize("word", HARMLESS)
def test_names_hashes_paths_and_ids_stay(word):
    """In a text, in quotes, at a line's end."""
    for text in (f"so {word} is", f'"{word}"', f"a\n{word}\n", f"(see {word})."):
        assert not list(secret_words(text.encode()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("so ", " is"),
        ('"', '"'),
        ("\n", "\n"),
        ("key=", "&a=1"),
        ("(", ")"),
        ("`", "`,"),
        ("https://x.test/a/", "/b"),
        ("\\n", "\\n"),
        ("%2F", " "),
        ("it is:", "."),
        ("acme_live_", ""),
        ("東京", "東京"),
    ],
)
def test_what_is_random_is_known(before, after):
    """Whatever stands around it; a prefix goes, an escape stays."""
    text = f"{before}{RANDOM}{after}".encode()

    [(start, end)] = secret_words(text)

    assert RANDOM.encode() in text[start:end]
    assert text[:start] == b"" if "acme" in before else before.encode()
    assert text[end:] == after.encode()


@pytest.mark.parametrize("name", ["tool_call_id", "commit_sha", "signature", "etag"])
def test_a_known_name_before_it_keeps_it(name):
    """In JSON that stands in a prompt, however often escaped."""
    for text in (
        f'{{"{name}": "{RANDOM}"}}',
        f'{{\\"{name}\\": \\"{RANDOM}\\"}}',
        f"{name}: {RANDOM}",
    ):
        assert not list(secret_words(text.encode()))


def test_words_and_what_is_likely():
    """A name says much of what follows it: it takes less to be a secret."""
    secrets = "hunter2-9f8a7 s3cr3t!pass Zq8nT2xV9bL4 5f4dcc3b5aa765d61d8327deb882cf99"
    words = (
        "get_token2 os.environ2 https://x.test/1 your-key-1234 1.2.3-rc.1 12345678 a2"
    )

    assert all(is_no_word(word.encode(), 8) for word in secrets.split())
    assert not any(is_no_word(word.encode(), 8) for word in words.split())
    assert is_likely(b"5f4dcc3b5aa765d61d8327deb882cf99")
    assert not is_likely(b"projects/123/locations/europe-west4")
    assert not is_likely(b"user_1234567890_profile")


def test_a_mark_is_no_secret():
    """Or it would be marked again."""
    for length in (20, 21, 40, 200):
        mark = (b"withheld-0a1b2c3d-" + b"x" * 200)[:length]
        assert not looks_random(mark) or not list(secret_words(b"a " + mark))


@pytest.mark.parametrize(
    "unit", ["a1", "aA1", "k9X2mP4vQ8rT1wZ6yB3nL7 ", "/a1B2", "-", "\\n", "=", "a="]
)
def test_the_cost_is_linear(unit):
    """Sixteen times the text takes no more than some sixty times as long."""

    def took_s(size, enough_s=0.0):
        text = unit.encode() * (size // len(unit))
        return cpu_s(lambda: list(secret_words(text)), enough_s=enough_s)

    bound_s = 64 * max(0.001, took_s(50_000))
    assert took_s(800_000, bound_s) < bound_s
