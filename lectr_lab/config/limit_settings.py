"""`[limits]` in lectr.toml: what one stranger may cost, before any key is checked."""

import msgspec


class LimitSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Bounds that every client meets, whoever it is. What is over one is refused by its
    own name: 414, 431, 408 or 503.

    `request_line_bytes`, `head_bytes` and `head_fields` bound a request's head, the last
    two its trailers too. `head_timeout_s` is from a head's first byte to its end, and
    how long a new connection may be silent; `body_timeout_s` between two pieces of a
    body; `keep_alive_s` is how long a connection may be idle between two requests.
    `connections` and `idle_connections` are of a proxy, all its workers together; None:
    half of the limit on open files of each process, as each request takes two.
    `bodies_in_flight_bytes` is over all its requests that are not answered yet; None: a
    quarter of the machine's memory.
    """

    request_line_bytes: int = 8 * 1024
    head_bytes: int = 64 * 1024
    head_fields: int = 100
    head_timeout_s: float = 30.0
    body_timeout_s: float = 60.0
    keep_alive_s: float = 75.0
    connections: int | None = None
    idle_connections: int | None = None
    bodies_in_flight_bytes: int | None = None

    def fault(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write.

        >>> LimitSettings(head_fields=0).fault()
        ('head_fields', 'write a number above 0')
        """
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if value is not None and not value > 0:
                return field, "write a number above 0"
        return None
