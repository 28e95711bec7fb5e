"""Whether a gateway answered out of its own cache, which nobody bills: its own header.

Sources, read 2026-11-30: developers.cloudflare.com/ai-gateway/features/caching
(`cf-aig-cache-status`), docs.helicone.ai/features/advanced-usage/caching
(`helicone-cache`), portkey.ai/docs (`x-portkey-cache-status`, of a semantic cache too).
"""

from collections.abc import Mapping
from types import MappingProxyType

_HITS = MappingProxyType(
    {
        b"cf-aig-cache-status": (b"hit",),
        b"helicone-cache": (b"hit",),
        b"x-portkey-cache-status": (b"hit", b"semantic hit"),
    }
)
_HEADERS = _HITS.keys()


def from_gateway_cache(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a reply's headers say so.

    Args:
        headers: values by name, in lower case.

    >>> from_gateway_cache({b"helicone-cache": b"HIT"}), from_gateway_cache({})
    (True, False)
    """
    if _HEADERS.isdisjoint(headers):
        return False  # nearly every reply
    said = ((hits, headers.get(name, b"")) for name, hits in _HITS.items())
    return any(value.strip().lower() in hits for hits, value in said)
