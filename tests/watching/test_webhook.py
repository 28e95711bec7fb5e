"""The webhook, with a real server on loopback."""

import hmac
import json
import socket
from hashlib import sha256

import pytest

from lectr_lab.config.watch_settings import WebhookSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.watching.webhook import PAUSES_S, NotTold, Stopping, webhook

HOOK = WebhookSettings(url_env="HOOK")


class Waits:
    """Waits no time, and counts."""

    def __init__(self, stop: bool = False) -> None:
        self.waited: list[float] = []
        self.stop = stop

    def __call__(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.stop


def test_the_generic_form_is_the_word_signed_with_a_secret(receiver, word):
    """Of which nothing goes out but the signature."""
    asked = WebhookSettings(url_env="HOOK", secret_env="SIGN")
    environ = {"HOOK": receiver.url, "SIGN": "s3cret", "LECTR_KEY": "lc_key_x"}

    webhook(asked, environ, Waits())(word)

    [(headers, body)] = receiver.got
    assert json.loads(body) == json.loads(word.as_json())
    signed = hmac.new(b"s3cret", body, sha256).hexdigest()
    assert headers["x-lectr-signature"] == f"sha256={signed}"
    for secret in ("s3cret", "lc_key_x", "secret-path"):
        assert secret not in str(headers) + body.decode()


def test_slack_s_form_has_no_mention_link_or_style(receiver, word):
    """A feature may be called `<!channel>`."""
    asked = WebhookSettings(url_env="HOOK", form="slack")

    webhook(asked, {"HOOK": receiver.url}, Waits())(word)

    told = json.loads(receiver.got[0][1])
    assert told["mrkdwn"] is False
    assert told["text"].startswith("&lt;!channel&gt; ") and "\x1b" not in told["text"]
    assert "<" not in told["text"].replace("&lt;", "")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_not_well_is_asked_again(receiver, word, status):
    """After pauses that grow, and then no more."""
    waits = Waits()
    receiver.statuses = [status]
    webhook(HOOK, {"HOOK": receiver.url}, waits)(word)
    assert len(receiver.got) == 2 and waits.waited == [PAUSES_S[0]]
    receiver.statuses = [status] * 9

    with pytest.raises(NotTold, match=f"HOOK answered {status}"):
        webhook(HOOK, {"HOOK": receiver.url}, waits)(word)

    assert len(receiver.got) == 2 + len(PAUSES_S) + 1


@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_a_retry_cannot_mend_is_not_retried(receiver, word, status):
    """A redirect is not followed; the address is in no message."""
    receiver.statuses = [status]

    with pytest.raises(NotTold) as told:
        webhook(HOOK, {"HOOK": receiver.url}, Waits())(word)

    assert len(receiver.got) == 1 and "secret-path" not in str(told.value)


@pytest.fixture
def nobody():
    """A port that is taken, on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_nobody_there_is_said_and_ends(word, nobody):
    """After its tries; and a watcher that stops waits for none of them."""
    environ = {"HOOK": f"http://127.0.0.1:{nobody}/secret-path"}
    with pytest.raises(NotTold, match="cannot be reached") as told:
        webhook(HOOK, environ, Waits())(word)
    assert "secret-path" not in str(told.value)

    with pytest.raises(Stopping):
        webhook(HOOK, environ, Waits(stop=True))(word)


@pytest.mark.parametrize(
    "url", ["", "http://example.com/x", "ftp://x", "no", "https://", "https://a b"]
)
def test_only_https_beyond_this_machine(url):
    """What else a variable holds is not repeated."""
    with pytest.raises(ConfigError) as told:
        webhook(HOOK, {"HOOK": url}, Waits())
    assert len(url) < 6 or url not in str(told.value).replace("https://…", "")
