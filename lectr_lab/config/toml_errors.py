"""Where in lectr.toml something is said."""

import re

import msgspec


def line_of(text: str, field: str) -> int | None:
    """The first line that sets a field or opens its table, from 1; None: there is none.

    >>> line_of('lab = "lab"\\n[orgs.acme]', "acme")
    2
    """
    pattern = re.compile(
        rf"^\s*(\[.*\b{re.escape(field)}\b.*\]|{re.escape(field)}\s*=)"
    )
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if pattern.match(line)), None)


def place_of(name: str, text: str, field: str) -> str:
    """A file's name, with the line that sets a field where there is one.

    >>> place_of("lectr.toml", "port = 1", "port"), place_of("lectr.toml", "", "port")
    ('lectr.toml, line 1', 'lectr.toml')
    """
    line = line_of(text, field)
    return f"{name}, line {line}" if line else name


def explain(name: str, text: str, error: str, shape: type[msgspec.Struct]) -> str:
    """msgspec's word on a file as file, line and what to write.

    >>> explain("lectr.toml", "port = 'x'", "Expected `int` - at `$.port`", msgspec.Struct)
    'lectr.toml, line 1: port: expected `int`.'
    """
    what, _, where = error.partition(" - at ")
    unknown = re.search(r"unknown field `(.+)`", what)
    path = where.strip("`").removeprefix("$").lstrip(".")
    field = unknown[1] if unknown else path.rpartition(".")[2]
    place = place_of(name, text, field)
    if unknown:
        known = ", ".join(shape.__struct_fields__)
        return f"{place}: there is no setting {field!r}. The settings are: {known}."
    return f"{place}: {path or 'the file'}: {what[0].lower()}{what[1:]}."
