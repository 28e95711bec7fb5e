"""Ids of our own: a provider's id may repeat, ours may not."""


def event_id(unix_ms: int, random_bits: int) -> bytes:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of time, then randomness.

    Args:
        unix_ms: milliseconds since 1970.
        random_bits: at least 74 random bits.

    Returns:
        16 bytes, in the order of time.

    >>> event_id(0x0123456789AB, 0).hex()
    '0123456789ab70008000000000000000'
    """
    high = (unix_ms & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (random_bits >> 62 & 0xFFF)
    low = 0b10 << 62 | random_bits & 0x3FFF_FFFF_FFFF_FFFF
    return (high << 64 | low).to_bytes(16)
