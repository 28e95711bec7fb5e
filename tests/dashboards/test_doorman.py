"""Who may see a served dashboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.dashboards.doorman import COOKIE, Doorman, headers_of

HERE = {"host": "127.0.0.1:9000"}


def test_the_token_opens_once():
    """It is exchanged for a cookie, and then is worth nothing."""
    door = Doorman()

    cookie = door.opened_by(door.token, HERE)

    assert cookie is not None
    assert cookie.endswith(f"; Path={door.folder}; HttpOnly; SameSite=Strict")
    assert door.opened_by(door.token, HERE) is None
    assert door.unknown({"cookie": f"a=b; {cookie.partition(';')[0]}; c"}) is None


def test_a_browser_that_fetches_ahead_does_not_use_it_up():
    """Such as one that guesses what is typed."""
    door = Doorman()

    assert door.opened_by(door.token, {"sec-purpose": "prefetch;prerender"}) is None
    assert door.opened_by(door.token, HERE) is not None


@given(st.text())
def test_no_other_text_opens_it(text):
    """Neither as the token nor as the cookie; nor is the token used up by it."""
    door = Doorman()

    assert door.opened_by(text, HERE) is None
    assert door.unknown({"cookie": f"{COOKIE}={text}"}).status == 401
    assert door.unknown({"cookie": f"{COOKIE}={door.token}"}).status == 401
    assert door.opened_by(door.token, HERE) is not None


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_only_names_of_this_machine_are_hosts(host):
    """What a foreign name points to may be this machine (DNS rebinding)."""
    assert Doorman().stranger({"host": host}, page=True) is not None


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "localhost", "LocalHost:65535", "[::1]:80"]
)
def test_a_tunnel_may_have_another_port(host):
    """As `ssh -L` has it on the machine where the browser is."""
    door = Doorman()

    assert door.stranger({"host": host}, page=True) is None
    assert door.stranger({"host": host, "origin": f"http://{host}"}, page=False) is None


@pytest.mark.parametrize(
    "told",
    [
        {"host": "127.0.0.1.evil.example"},
        {"host": "127.0.0.1@evil.example"},
        {"host": "127.0.0.1, evil.example"},
        {"host": "0.0.0.0:9000"},
        {},
        HERE | {"origin": "null"},
        HERE | {"origin": "http://evil.example"},
        HERE | {"origin": "http://127.0.0.1:9001"},  # another program of this machine
        HERE | {"origin": "https://127.0.0.1:9000"},
        HERE | {"sec-fetch-site": "cross-site"},
        HERE | {"sec-fetch-site": "same-site"},
        HERE | {"sec-fetch-site": "none"},
    ],
)
def test_what_the_page_loads_is_for_the_page_alone(told):
    """Whatever name, origin or site another has."""
    assert Doorman().stranger(told, page=False) is not None


def test_the_page_may_be_opened_from_anywhere_but_not_put_into_another():
    """A link leads to it; a frame, a picture or a script does not."""
    door, foreign = Doorman(), HERE | {"sec-fetch-site": "cross-site"}

    assert door.stranger(foreign | {"sec-fetch-dest": "document"}, page=True) is None
    for inside in ("iframe", "image", "script", "empty"):
        assert door.stranger(foreign | {"sec-fetch-dest": inside}, page=True)


def test_repeated_headers_are_none_that_fit():
    """Two hosts or two origins are not the right one."""
    twice = headers_of([(b"Host", b"localhost"), (b"host", b"localhost")])

    assert Doorman().stranger(twice, page=True) is not None
