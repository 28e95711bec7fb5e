"""The operator's secret: how it is known, and how slowly it can be guessed at."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from lectr_lab.core import error_responses
from lectr_lab.core.errors import ConfigError
from lectr_lab.proxy import admin_secret
from lectr_lab.proxy.admin_secret import AdminSecret, read_admin_secret

SECRET = "only-the-operator-knows-this"
RIGHT = [(b"host", b"x"), (b"authorization", f"Bearer {SECRET}".encode())]
WRONG = [b"", b"Bearer", b"Basic " + SECRET.encode(), b"Bearer x", b"Bearer \xff"]


def ask(secret: AdminSecret, *authorizations: bytes) -> list[str | None]:
    """The codes, all asked at once."""

    async def all_of_them():
        asked = (secret.refusal([(b"authorization", a)]) for a in authorizations)
        return await asyncio.gather(*asked)

    return [refusal and refusal.code for refusal in asyncio.run(all_of_them())]


def test_the_right_one_is_known_at_once():
    """It waits for nothing."""
    secret = AdminSecret(SECRET, wrong_waits_s=3600)

    assert ask(secret, RIGHT[1][1], b"bearer  " + SECRET.encode()) == [None, None]
    assert secret.refused == 0


@pytest.mark.parametrize("authorization", WRONG)
def test_a_wrong_one_waits(authorization):
    """Then it is refused, and counted."""
    secret = AdminSecret(SECRET, wrong_waits_s=0.05)
    began_s = time.monotonic()

    assert ask(secret, authorization) == ["invalid_admin_secret"]
    assert time.monotonic() - began_s >= 0.05
    assert secret.refused == 1


def test_guesses_do_not_pile_up():
    """Of a thousand at once four wait; meanwhile not even the right one is looked at, so
    that nobody learns which it is. Then it is again."""
    secret = AdminSecret(SECRET, wrong_waits_s=0.05)

    codes = ask(secret, *[b"Bearer x"] * 1000, RIGHT[1][1])

    assert codes.count("invalid_admin_secret") == 4
    assert codes.count("too_many_admin_calls") == 997
    assert secret.refused == 1001
    assert ask(secret, RIGHT[1][1]) == [None]


def test_a_guess_that_is_broken_off_leaves_its_place():
    """A cancelled one waits no more."""
    secret = AdminSecret(SECRET, wrong_waits_s=3600)

    async def broken_off():
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(secret.refusal([]), 0.001)
        return await secret.refusal(RIGHT)

    assert asyncio.run(broken_off()) is None


def test_too_many_are_told_when_to_ask_again():
    """429, in the shape of every refusal."""
    head = dict(error_responses.TOO_MANY_ADMIN_CALLS.head())

    assert error_responses.TOO_MANY_ADMIN_CALLS.status == 429
    assert head[b"retry-after"] == b"1"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_blank_one_is_none(value):
    """Else an empty bearer would open everything."""
    environ = {} if value is None else {admin_secret.SECRET_VARIABLE: value}

    assert read_admin_secret(environ) is None


def test_a_short_one_is_refused_at_the_start(tmp_path):
    """By its name, with a line that makes a good one; it is not shown."""
    (tmp_path / "lectr.toml").write_text("port = 0")
    environ = os.environ | {admin_secret.SECRET_VARIABLE: "fifteen-letters"}

    done = subprocess.run(
        [sys.executable, "-m", "lectr_lab.cli", "serve"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "16 characters" in done.stderr and "openssl rand" in done.stderr
    assert "fifteen" not in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80
    assert not (tmp_path / "lab").exists()


def test_sixteen_characters_are_enough():
    """And one less is not."""
    variable = admin_secret.SECRET_VARIABLE

    assert read_admin_secret({variable: " " + "x" * 16})
    with pytest.raises(ConfigError):
        read_admin_secret({variable: "x" * 15 + " "})
