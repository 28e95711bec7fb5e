"""Who may see a dashboard that is served on this machine.

Any page that a browser has open can send requests to this machine, and any name can be
made to point to it (DNS rebinding), so an address alone proves nothing. What does: a
token in the address that the terminal prints, which opens once and is then exchanged for
a cookie; a Host header with a name of this machine; and, of what a browser tells of who
asks (Origin, Sec-Fetch-Site), nothing else but this page.
"""

import hmac
import re
import secrets
from typing import NamedTuple

COOKIE = "lectr_dashboard"
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_OPENS = (
    "This dashboard opens with the address that `lectr-lab dashboard` printed. That "
    "address opens once: for another one press Ctrl-C there, and start it again."
)
_ELSEWHERE = "This dashboard answers its own page alone. Open 127.0.0.1 or localhost."

Headers = dict[str, str]
"""By lower-case name; of a repeated one the values with commas between."""


class Refusal(NamedTuple):
    """What is answered to who may not."""

    status: int
    sentence: str


def headers_of(raw: list[tuple[bytes, bytes]]) -> Headers:
    """Headers as ASGI has them, as text.

    >>> headers_of([(b"host", b"a"), (b"host", b"b")])
    {'host': 'a, b'}
    """
    found: Headers = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


class Doorman:
    """Holds the token and the cookie of one run of a server; both are on no disk."""

    def __init__(self) -> None:
        self.token: str = secrets.token_urlsafe(32)
        self._used = False
        # Cookies know no port: in a folder of its own this one is not sent to others.
        self.folder: str = f"/{secrets.token_hex(6)}/"
        self._cookie = secrets.token_urlsafe(32)

    def opened_by(self, token: str, headers: Headers) -> str | None:
        """The cookie to set, where this is the token; it opens nothing after that.

        A browser that only fetches ahead does not use it up.
        """
        ahead = headers.get("sec-purpose", headers.get("purpose", ""))
        right = hmac.compare_digest(token.encode(), self.token.encode())
        if self._used or not right or "prefetch" in ahead:
            return None
        self._used = True
        return f"{COOKIE}={self._cookie}; Path={self.folder}; HttpOnly; SameSite=Strict"

    def stranger(self, headers: Headers, *, page: bool) -> Refusal | None:
        """Why this is not asked by somebody on this machine, or by our own page.

        `page`: it is the page itself that is asked for, which may be opened from
        anywhere; what it loads is for the page alone.
        """
        host = headers.get("host", "")
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none" if page else "same-origin")
        asked_by_itself = site == "same-origin"
        if page:
            opened = headers.get("sec-fetch-dest", "document") == "document"
            asked_by_itself |= site == "none" or opened
        if (
            _HOST.fullmatch(host) is None
            or (origin is not None and origin.lower() != f"http://{host}".lower())
            or not asked_by_itself
        ):
            return Refusal(403, _ELSEWHERE)
        return None

    def unknown(self, headers: Headers) -> Refusal | None:
        """Why who asks is not known: no cookie of ours."""
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE and hmac.compare_digest(
                value.encode(), self._cookie.encode()
            ):
                return None
        return Refusal(401, _OPENS)
