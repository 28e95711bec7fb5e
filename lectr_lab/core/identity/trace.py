"""The trace that a request belongs to, by its `traceparent`.

Facts, from W3C Trace Context, section 3.2: version, trace-id, parent-id and flags, in
small hexadecimal letters; zeros alone are no id; version ff is none; version 00 ends with
the flags, a later one may go on behind a dash. Two such headers are none.
"""

import re

from lectr_lab.core.headers import RawHeaders

_TRACEPARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    rb"(?:-.*)?"
)


def trace_id(headers: RawHeaders) -> str | None:
    """The trace's id, 32 hexadecimal digits; None where the header is not valid.

    Args:
        headers: names in lower case and values, of which some is a `traceparent`.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header

    >>> parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    >>> trace_id([(b"traceparent", parent)])
    '0af7651916cd43dd8448eb211c80319c'
    >>> trace_id([(b"traceparent", parent)] * 2)
    """
    values = [value for name, value in headers if name == b"traceparent"]
    if len(values) != 1:
        return None
    value = values[0].strip()
    found = _TRACEPARENT.fullmatch(value)
    if found is None or (found[1] == b"00" and len(value) != 55):
        return None
    return found[2].decode()
