"""`[record]` in lectr.toml: what else must not be written to a cassette."""

import re

import msgspec


class RecordSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """`secrets` are regular expressions, matched against bytes: of names of customers,
    of keys of a form of your own. They hold for every recording and for `lectr-lab
    doctor --cassettes`, beside what is known for a secret anyway.
    """

    secrets: tuple[str, ...] = ()

    def fault(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write; it is not quoted.

        >>> RecordSettings(secrets=("(",)).fault()
        ('secrets', 'write regular expressions; number 1 is none')
        """
        for number, pattern in enumerate(self.secrets, 1):
            try:
                re.compile(pattern.encode())
            except re.error:
                return "secrets", f"write regular expressions; number {number} is none"
        return None
