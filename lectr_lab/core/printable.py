"""Text of others on a terminal: what would move its cursor or hide a part is spelled out.

A file's name and a client's word can hold any character. Printed as they are, some make
a terminal obey, and some reorder what stands beside them.
"""

from lectr_lab.core.formatting import visible


def printable(text: object) -> str:
    """A message of any number of lines, in which no name, a file's say, steers a terminal.

    >>> print(printable("calls\\x1b[31m.csv:\\n  - no file"))
    calls<U+001B>[31m.csv:
      - no file
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else visible(c) for c in str(text)
    )
