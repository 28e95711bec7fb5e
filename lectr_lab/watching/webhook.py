"""A webhook: numbers and names to one address, which the environment alone knows.

Source of Slack's form, read 2026-11-30: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

import hmac
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from hashlib import sha256
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from lectr_lab.config.urls import reachable
from lectr_lab.config.watch_settings import WebhookSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.formatting import visible
from lectr_lab.watching.word import Word

Waits = Callable[[float], bool]
"""Waits so many seconds; true where it is to stop."""

TIMEOUT_S = 10.0
PAUSES_S = (1.0, 4.0)
"""Between the tries of one look; the next look tries again."""

_MOST_S = 30.0
_AGAIN = (408, 425, 429)


class NotTold(Exception):
    """A sink could not be told; the text says why, without an address or a secret."""


class Stopping(Exception):
    """It is to stop, and what it was about to tell is the next one's."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent goes to the address that was named, and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def webhook(
    asked: WebhookSettings,
    environ: Mapping[str, str],
    wait: Waits,
    http_proxy: str | None = None,
    ca_bundle: str | None = None,
) -> Callable[[Word], None]:
    """What sends a word to the address that a variable names.

    Args:
        asked: the form, and the names of the variables.
        environ: which holds the address, and a secret to sign with.
        wait: pauses between two tries.
        http_proxy: a proxy on the way.
        ca_bundle: whom to trust, for an address of one's own.

    Returns:
        A function that raises `NotTold` where nobody took it, and `Stopping`.

    Raises:
        ConfigError: a variable is not set, or holds no address. It is not repeated.
    """
    url = _address(asked, environ)
    secret = None
    if asked.secret_env is not None:
        secret = environ.get(asked.secret_env, "").encode()
        if not secret:
            raise ConfigError(f"[watch.webhook] {asked.secret_env} is not set.")
    opener = _opener(url, http_proxy, ca_bundle)

    def send(word: Word) -> None:
        body = slack(word) if asked.form == "slack" else word.as_json()
        headers = {"content-type": "application/json", "user-agent": "lectr-lab"}
        if secret is not None:
            signed = hmac.new(secret, body, sha256).hexdigest()
            headers["x-lectr-signature"] = f"sha256={signed}"
        request = urllib.request.Request(url, body, headers, method="POST")
        for pause_s in (*PAUSES_S, None):
            fault, again = _tried(opener, request)
            if fault is None:
                return
            if not again or pause_s is None:
                raise NotTold(f"the webhook of {asked.url_env} {fault}")
            if wait(pause_s):
                raise Stopping

    return send


def slack(word: Word) -> bytes:
    """A message in Slack's form, in which no name is a mention, a link or a style."""
    text = visible(word.sentence)
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, safe)
    return json.dumps(
        {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    ).encode("ascii")


def _address(asked: WebhookSettings, environ: Mapping[str, str]) -> str:
    url = environ.get(asked.url_env, "").strip()
    if not url:
        raise ConfigError(
            f"[watch.webhook] {asked.url_env} is not set: it is to hold the URL."
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    safe = (
        parts is not None
        and host is not None
        and (
            parts.scheme == "https" or (parts.scheme == "http" and not reachable(host))
        )
    )
    if not safe or any(not "!" <= letter <= "~" for letter in url):
        raise ConfigError(
            f"[watch.webhook] {asked.url_env} holds no URL that can be used: it must be "
            "https://…, or http:// on this machine."
        )
    return url


def _opener(
    url: str, http_proxy: str | None, ca_bundle: str | None
) -> urllib.request.OpenerDirector:
    own = not reachable(urlsplit(url).hostname or "")
    through = (
        {} if http_proxy is None or own else {"http": http_proxy, "https": http_proxy}
    )
    trusted = ssl.create_default_context(cafile=ca_bundle)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(through),
        urllib.request.HTTPSHandler(context=trusted),
        _NoRedirect(),
    )


def _tried(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request
) -> tuple[str | None, bool]:
    """What went wrong, and whether another try may help; it ends, whoever answers how
    slowly: each wait of a socket has its limit, and all of them together have one."""
    found: list[tuple[str | None, bool]] = []

    def ask() -> None:
        try:
            with opener.open(request, timeout=TIMEOUT_S):
                found.append((None, False))
        except urllib.error.HTTPError as error:
            error.close()
            again = error.code >= 500 or error.code in _AGAIN
            found.append((f"answered {error.code}", again))
        except (OSError, HTTPException, ValueError) as error:
            found.append((f"cannot be reached ({type(error).__name__})", True))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_MOST_S)
    return found[0] if found else ("did not answer in time", True)
