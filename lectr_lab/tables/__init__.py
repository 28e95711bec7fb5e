"""Tables of finished frames, for cells, exported pages and terminals.

A column's name says what it holds (`_usd`, `_ms`, `_tokens`, `_bytes`, `_rate`, …), and
so how it is written. Nothing is asked of the log here, and no script or font is needed.
"""

from lectr_lab.tables.html import html_table, with_one_script, without_scripts
from lectr_lab.tables.prose import folded
from lectr_lab.tables.shown import Table, table
from lectr_lab.tables.text import text_table

__all__ = [
    "Table",
    "folded",
    "html_table",
    "table",
    "text_table",
    "with_one_script",
    "without_scripts",
]
