"""What a struct's annotations say of its columns."""

from typing import Annotated, Literal

import msgspec

from lectr_lab.core.column import ColumnSpec, column, columns_of, tokens


class Row(msgspec.Struct, kw_only=True):
    """A log of three columns."""

    org: Annotated[str, column("whose", "lectr.org")]
    kind: Annotated[Literal["a", "b"], column("which", "lectr.kind")]
    input_tokens: Annotated[int | None, tokens("all input", "gen_ai.in")] = None


def test_a_field_is_a_column():
    """With its type, whether it may be null, and the words that its annotation has."""
    org, kind, input_tokens = columns_of(Row)

    assert org == ColumnSpec("org", str, "never", "", "whose", "lectr.org")
    assert kind.python_type is str
    assert input_tokens[1:4] == (int, "any", "tokens")
