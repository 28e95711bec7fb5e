"""The answers that are ours and not a provider's, in the form of the API that was asked
(`core.error_forms`): SDKs make exceptions of their own of them. Each message says what to
do."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lectr_lab.core.error_forms import Form, error_body, form_of, split_path
from lectr_lab.core.event_values import Outcome
from lectr_lab.core.routing.paths import operation
from lectr_lab.core.sdk_versions import too_old

_NO_RETRY = (b"x-should-retry", b"false")


class Refusal(NamedTuple):
    """An answer of the proxy's own."""

    status: int
    type: str
    code: str
    message: str
    outcome: Outcome = "refused"
    retry_after_s: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()  # beside those that all have

    def head(self, form: Form = "openai") -> list[tuple[bytes, bytes]]:
        """The headers that go with its `body` of the same form.

        Clients of OpenAI's and Anthropic's take 401 for a passing fault, and ask again
        for minutes without a word, unless they are told that it is none.

        >>> (b"x-should-retry", b"false") in INVALID_LECTR_KEY.head()
        True
        """
        length = str(len(self.body(form))).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        if self.retry_after_s is not None:
            headers.append((b"retry-after", str(self.retry_after_s).encode()))
        elif 400 <= self.status < 500 and self.status != 408:
            headers.append(_NO_RETRY)
        return [*headers, *self.headers]

    def body(self, form: Form = "openai") -> bytes:
        """The JSON that goes to the client, who asked in this form.

        >>> NOT_FOUND.body()[:34]
        b'{"error":{"message":"This proxy se'
        """
        return msgspec.json.encode(
            error_body(form, self.status, self.type, self.code, self.message)
        )


def _authentication(code: str, message: str) -> Refusal:
    return Refusal(401, "authentication_error", code, message)


MISSING_LECTR_KEY = _authentication(
    "missing_lectr_key",
    "Send the header X-Lectr-Key: lc_key_…. `lectr-lab keys create` makes a key.",
)
INVALID_LECTR_KEY = _authentication(
    "invalid_lectr_key",
    "The X-Lectr-Key sent is not one of this proxy's. `lectr-lab keys list` shows "
    "which there are, `lectr-lab keys create` makes a new one; for a log elsewhere, "
    "both take --lab.",
)
ORG_DISABLED = _authentication(
    "org_disabled",
    "This X-Lectr-Key has been disabled. Ask whoever runs the proxy for a new one.",
)
MISSING_AUTHORIZATION = _authentication(
    "missing_authorization",
    "Send the provider's key too: Authorization: Bearer <provider key>. It is passed "
    "on and never stored.",
)
AZURE_CONFIG_MISSING = Refusal(
    400,
    "invalid_request_error",
    "azure_config_missing",
    "No Azure endpoint is configured for this organisation. Add [azure] with "
    "`endpoint` to lectr.toml.",
)
# The status at which clients fall back to HTTP at once; it must name what is spoken
# here (RFC 9110, 15.5.22).
WEBSOCKET = Refusal(
    426,
    "invalid_request_error",
    "websocket_unsupported",
    "This proxy does not carry WebSockets. Use HTTP, or connect to the provider for "
    "realtime.",
    headers=((b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")),
)
# Before a key is checked: the server's bounds. More of them below.
REQUEST_TIMEOUT = Refusal(
    408,
    "invalid_request_error",
    "request_timeout",
    "The rest of the request did not come in time. Send it again; where it needs "
    "longer, raise head_timeout_s or body_timeout_s under [limits] in lectr.toml.",
)
TOO_MANY_CONNECTIONS = Refusal(
    503,
    "server_error",
    "too_many_connections",
    "The proxy has as many connections as it may, and all of them are at work. Try "
    "again in a second; raise the limit on open files (ulimit -Hn), or connections "
    "under [limits] in lectr.toml.",
    retry_after_s=1,
)
BAD_REQUEST = Refusal(
    400,
    "invalid_request_error",
    "bad_request",
    "This is no valid HTTP/1.1 request, which has one Host line. Look at what sends it, "
    "or at what stands between it and this proxy.",
)
# What begins in HTTP/2, without an offer of it first.
HTTP2 = Refusal(
    505,
    "invalid_request_error",
    "http_version_unsupported",
    "This proxy speaks HTTP/1.1. Let the client begin with that, and not with prior "
    "knowledge of HTTP/2 (curl: without --http2-prior-knowledge; httpx: http1=True; "
    ".NET: HttpVersionPolicy.RequestVersionOrLower; elsewhere: no h2c).",
    headers=(_NO_RETRY,),
)
NOT_FOUND = Refusal(
    404,
    "invalid_request_error",
    "unknown_path",
    "This proxy serves /v1/…, /v1beta/…, /openai/v1/… and /health. Set the client's "
    "base URL: OPENAI_BASE_URL is the proxy's address with /v1 at its end, "
    "ANTHROPIC_BASE_URL and GOOGLE_GEMINI_BASE_URL are the address alone.",
)
_BASE_URLS: dict[Form, str] = {
    "openai": "OPENAI_BASE_URL (in code: base_url) to the proxy's address with /v1 at "
    "its end, once: http://127.0.0.1:8484/v1.",
    "anthropic": "ANTHROPIC_BASE_URL (in code: base_url) to the proxy's address without "
    "/v1, for Claude Code as for Anthropic's SDKs: http://127.0.0.1:8484.",
    "gemini": "GOOGLE_GEMINI_BASE_URL (in code: base_url) to the proxy's address "
    "without /v1 or /v1beta: http://127.0.0.1:8484.",
}
PROVIDER_UNREACHABLE = Refusal(
    503,
    "upstream_error",
    "provider_unreachable",
    "No connection to the provider. Try again; if it stays so, check the network and "
    "base_url in lectr.toml.",
    outcome="unreachable",
)
PROVIDER_BROKE_OFF = Refusal(
    503,
    "upstream_error",
    "provider_unreachable",
    "The provider closed the connection before it answered. Try again.",
    outcome="upstream_disconnect",
)
PROVIDER_TIMEOUT = Refusal(
    504,
    "upstream_error",
    "provider_timeout",
    "The provider did not begin to answer in time. Try again, or raise "
    "response_timeout_s in lectr.toml.",
    outcome="timeout",
)

PROXY_BUSY = Refusal(
    503,
    "server_error",
    "proxy_busy",
    "This proxy holds as many bytes of requests as it may. Try again in a second; if "
    "it stays so, raise bodies_in_flight_bytes under [limits] in lectr.toml.",
    retry_after_s=1,
)
INTERNAL_ERROR = Refusal(
    500,
    "upstream_error",
    "internal_error",
    "The proxy made a mistake of its own. Please report it with the line that it "
    "printed; the provider may have been asked.",
)

# Where no X-Lectr-Key is asked for. 403, as Jupyter and Ollama have it: at a 421, which
# would fit as well, a client may ask again by itself (RFC 9110, 15.5.20).
FORBIDDEN_HOST = Refusal(
    403,
    "invalid_request_error",
    "forbidden_host",
    "This page is not served by the name in the Host header. Ask 127.0.0.1, localhost or "
    "the machine's address in numbers, or name the name in lectr.toml: allowed_hosts = "
    '["proxy.example"].',
)
FORBIDDEN_ORIGIN = Refusal(
    403,
    "invalid_request_error",
    "forbidden_origin",
    "A web page of another origin asked for this. If it is yours, name its host in "
    'lectr.toml: allowed_hosts = ["dashboard.example"].',
)
# The admin API's own.
INVALID_ADMIN_SECRET = _authentication(
    "invalid_admin_secret",
    "Send Authorization: Bearer followed by what LECTR_ADMIN_SECRET held when the "
    "proxy was started.",
)
TOO_MANY_ADMIN_CALLS = Refusal(
    429,
    "rate_limit_error",
    "too_many_admin_calls",
    "Several calls with a wrong secret are waiting, and meanwhile none is looked at. Try "
    "again in a second; on the proxy's machine `lectr-lab keys` always works.",
    retry_after_s=1,
)
INVALID_ORG = Refusal(
    400,
    "invalid_request_error",
    "invalid_org",
    'The body must be a JSON object such as {"org": "my-team"}, with "feature" if '
    "wanted. An org has 1 to 64 letters, digits, dots, dashes and underscores; a "
    "feature 1 to 100 characters.",
)
UNKNOWN_ORG = Refusal(
    404,
    "invalid_request_error",
    "unknown_org",
    "No active key has this id, and no organisation of this name has one. POST "
    "/v1/orgs makes one; `lectr-lab keys list` shows all.",
)
SEVERAL_KEYS = Refusal(
    400,
    "invalid_request_error",
    "several_keys",
    "The organisation has several active keys. Name the one to replace by its key_id.",
)
KEYS_UNWRITABLE = Refusal(
    500,
    "server_error",
    "keys_unwritable",
    "The proxy cannot read or write its key file. Look at state/keys.json in its lab "
    "folder: `lectr-lab keys list` says what is wrong.",
)


def missing_lectr_key(headers: Sequence[tuple[bytes, bytes]]) -> Refusal:
    """A request without the header, which an SDK may be too old to send.

    >>> missing_lectr_key([(b"user-agent", b"OpenAI/Python 2.8.0")]).message[:41]
    'openai 2.8.0 for Python does not read OPE'
    """
    agents = (v.decode("latin-1") for n, v in headers if n == b"user-agent")
    why = too_old(next(agents, ""))
    return MISSING_LECTR_KEY._replace(message=why) if why else MISSING_LECTR_KEY


def unknown_path(
    raw_path: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
) -> Refusal:
    """A path that is nobody's: where it ends as a known one does, the base URL is wrong.

    >>> unknown_path(b"/v1/v1/messages").message[:50]
    'Nothing is served at this path. Set ANTHROPIC_BASE'
    """
    form, (_, rest) = form_of(raw_path, headers), split_path(raw_path)
    if form == "openai" and operation(b"/v1/" + rest) == "other":
        return NOT_FOUND
    message = f"Nothing is served at this path. Set {_BASE_URLS[form]}"
    return NOT_FOUND._replace(message=message)


def request_line_too_long(limit_bytes: int) -> Refusal:
    """A path and query over the limit.

    >>> request_line_too_long(8192).status
    414
    """
    return Refusal(
        414,
        "invalid_request_error",
        "request_line_too_long",
        f"The request's path and query are longer than the {limit_bytes} bytes that this "
        "proxy reads. Send what is long in the body, or raise request_line_bytes under "
        "[limits] in lectr.toml.",
    )


def head_too_large(limit_bytes: int, limit_fields: int) -> Refusal:
    """Headers, or trailers, over one of the limits.

    >>> head_too_large(65_536, 100).status
    431
    """
    return Refusal(
        431,
        "invalid_request_error",
        "head_too_large",
        f"The request's headers are more than the {limit_bytes} bytes or the "
        f"{limit_fields} lines that this proxy reads. Send fewer, or shorter ones, or "
        "raise head_bytes or head_fields under [limits] in lectr.toml.",
    )


def too_large(limit_bytes: int) -> Refusal:
    """A body over the limit.

    >>> too_large(1024).status
    413
    """
    return Refusal(
        413,
        "invalid_request_error",
        "request_too_large",
        f"The body is larger than this proxy's limit of {limit_bytes} bytes. Raise "
        "max_body_bytes in lectr.toml.",
    )


def rate_limited(requests_per_minute: int, retry_after_s: int) -> Refusal:
    """One request too many within a minute.

    >>> rate_limited(60, 3).message
    'More than 60 requests within a minute. Try again in 3 s.'
    """
    return Refusal(
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
        f"More than {requests_per_minute} requests within a minute. Try again in "
        f"{retry_after_s} s.",
        retry_after_s=retry_after_s,
    )


def too_many_streams(concurrent_streams: int) -> Refusal:
    """One stream too many at once. When one of them ends, nobody knows: so, a second.

    >>> too_many_streams(2).retry_after_s
    1
    """
    return Refusal(
        429,
        "rate_limit_error",
        "concurrent_streams_exceeded",
        f"{concurrent_streams} streams are running, which is the limit. Try again when "
        "one of them has ended.",
        retry_after_s=1,
    )


def not_ready(reasons: Sequence[str]) -> Refusal:
    """What /readyz says of a proxy to which nothing new should be sent.

    >>> not_ready(["it has not started, or has ended"]).message
    'Not ready: it has not started, or has ended. Ask again in a second.'
    """
    why = "; ".join(reason.removesuffix(".") for reason in reasons)
    message = f"Not ready: {why}. Ask again in a second."
    return Refusal(503, "server_error", "not_ready", message, retry_after_s=1)


def budget_exceeded(
    whose: str, limit: str, spent: str, more: str, again: str
) -> Refusal:
    """What a budget that stops has no room for. To ask again would change nothing.

    Args:
        whose: the budget, in words.
        limit: dollars, in words.
        spent: likewise.
        more: what else is to be said of the sum.
        again: when it begins anew.

    >>> told = budget_exceeded("org acme", "$5.00 a day", "$4.98", "", "at midnight")
    >>> told.message[:61]
    'The budget of org acme has no room for this request: $4.98 of'
    """
    return Refusal(
        429,
        "rate_limit_error",
        "budget_exceeded",
        f"The budget of {whose} has no room for this request: {spent} of {limit} "
        f"spent{more}. It begins anew {again}. Raise it in lectr.toml, or lower "
        "max_tokens.",
    )
