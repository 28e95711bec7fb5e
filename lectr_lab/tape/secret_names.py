"""The names that secrets stand under: of headers, of fields, of what is in a URL.

A name is compared without case, dashes, underscores and spaces: `api_key`, `Api-Key` and `apiKey`
are one. What ends in a known word counts as well: `openai_api_key`.

Where names are documented, beside those in common use:

- Azure on your data, `authentication`: `key`, `access_token`, `connection_string`,
  `encoded_api_key` (learn.microsoft.com/azure/ai-services/openai/references/on-your-data)
- MCP servers: OpenAI's `authorization` and `headers`
  (platform.openai.com/docs/guides/tools-connectors-mcp), Anthropic's
  `authorization_token` (docs.claude.com/en/docs/agents-and-tools/mcp-connector)
- OpenAI's `client_secret` (platform.openai.com/docs/api-reference/realtime-sessions)
- Signed URLs: Azure's `sig` (learn.microsoft.com/rest/api/storageservices/create-service-sas),
  `X-Amz-…` (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html),
  `X-Goog-…` (docs.cloud.google.com/storage/docs/authentication/signatures)
- Azure's API Management and Functions: `subscription-key`, `Ocp-Apim-Subscription-Key`,
  `code`, `x-functions-key` (learn.microsoft.com/azure/api-management, azure-functions)
- Gateways: `x-litellm-api-key` (docs.litellm.ai), `x-portkey-…` (portkey.ai/docs),
  `helicone-auth` (docs.helicone.ai), `x-bf-vk` (docs.getbifrost.ai)
"""

_ENDINGS = tuple(
    word.encode()
    for word in (
        "apikey secret secretkey accesskey privatekey subscriptionkey accountkey "
        "sharedkey signingkey encryptionkey masterkey virtualkey functionskey appkey "
        "password passwd passphrase passcode passwort authorization authorizationtoken authtoken "
        "accesstoken refreshtoken idtoken identitytoken sessiontoken securitytoken "
        "bearertoken apitoken sastoken bottoken oauthtoken csrftoken xsrftoken "
        "githubtoken gitlabtoken hftoken secrettoken jwt connectionstring "
        "clientassertion setcookie xamzsignature xamzcredential xgoogsignature "
        "xgoogcredential"
    ).split()
)
_MAYBE_ENDINGS = tuple(
    b"token key auth pass pwd pin credential credentials cookie cookies bearer sas "
    b"sid session otp seed mnemonic".split()
)
_HARMLESS_ENDINGS = tuple(
    b"pagetoken continuationtoken synctoken nexttoken cursortoken eostoken bostoken "
    b"padtoken unktoken stoptoken publickey publickeytoken websocketkey primarykey foreignkey sortkey cachekey "
    b"idempotencykey partitionkey objectkey hashkey mapkey".split()
)
_LONGEST = 100  # in bytes, of a name: what is longer is a text
_IN_URLS = frozenset(b"sig signature token auth awsaccesskeyid".split())
_WORDS_IN_URLS = frozenset(b"key code".split())  # which are words like others, too
_LONG = 20  # Azure's and Google's keys have 39 characters and more

_LAST_WORDS = frozenset(
    b"authorization auth key apikey token accesstoken secret password passwd jwt "
    b"assertion credential credentials signature cookie clientcert".split()
)
_KEY_HEADERS = frozenset(
    b"x-ms-authorization-auxiliary x-forwarded-client-cert x-amzn-oidc-data x-bf-vk "
    b"x-honeycomb-team x-goog-authenticated-user-jwt dpop".split()
)
_NO_KEY_HEADERS = frozenset(
    b"idempotency-key x-idempotency-key x-ratelimit-key sec-websocket-key cache-key "
    b"x-cache-key surrogate-key x-surrogate-key".split()
)
_OF_A_REQUEST = frozenset((b"cf-ray", b"cf-cache-status"))
_ACCOUNT_HEADERS = frozenset(
    b"openai-organization openai-project x-goog-user-project "
    b"anthropic-organization-id".split()
)


def is_secret_field(name: bytes) -> bool:
    """A member of JSON, or a field of a form, whose text is a secret wherever it is.

    >>> is_secret_field(b"api_key"), is_secret_field(b"max_tokens")
    (True, False)
    """
    return len(name) <= _LONGEST and _bare(name).endswith(_ENDINGS)


def may_be_secret_field(name: bytes) -> bool:
    """One whose text is a secret if it looks like one: any other key or token.

    >>> may_be_secret_field(b"slack_token"), may_be_secret_field(b"next_page_token")
    (True, False)
    """
    if len(name) > _LONGEST:
        return False
    bare = _bare(name)
    return bare.endswith(_MAYBE_ENDINGS) and not bare.endswith(_HARMLESS_ENDINGS)


def is_secret_in_url(name: bytes, value: bytes) -> bool:
    """A parameter of any URL; `key` and `code` only where the value is a long one.

    >>> is_secret_in_url(b"X-Amz-Signature", b"0"), is_secret_in_url(b"code", b"200")
    (True, False)
    """
    bare = _bare(name)
    word_and_long = bare in _WORDS_IN_URLS and len(value) >= _LONG
    return bare in _IN_URLS or word_and_long or bare.endswith(_ENDINGS)


def is_secret_of_call(name: bytes) -> bool:
    """A parameter of the URL that a call itself was sent to.

    >>> is_secret_of_call(b"key"), is_secret_of_call(b"api-version")
    (True, False)
    """
    return _bare(name) in _WORDS_IN_URLS or is_secret_in_url(name, b"")


def is_key_header(name: bytes) -> bool:
    """A header that is there to carry a secret, of a request or a reply.

    >>> is_key_header(b"X-Auth-Token"), is_key_header(b"x-ratelimit-limit-tokens")
    (True, False)
    """
    lower = name.lower()
    if lower in _NO_KEY_HEADERS:
        return False
    last = lower.replace(b"_", b"-").rpartition(b"-")[2]
    return last in _LAST_WORDS or lower in _KEY_HEADERS


def is_dropped_header(name: bytes) -> bool:
    """A header that carries a secret, names an account, or is ours or Cloudflare's.

    >>> is_dropped_header(b"OpenAI-Organization"), is_dropped_header(b"Vary")
    (True, False)
    """
    lower = name.lower()
    if lower in _OF_A_REQUEST:
        return False
    ours_or_cloudflares = lower.startswith((b"x-lectr-", b"cf-"))
    return ours_or_cloudflares or lower in _ACCOUNT_HEADERS or is_key_header(lower)


def _bare(name: bytes) -> bytes:
    return name.lower().translate(None, b"-_ ")
