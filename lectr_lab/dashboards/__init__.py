"""The charts arranged: a page that opens with the network cut, and a live widget.

`dashboards.picture` makes one picture of them; it is apart, for Altair takes seconds to
load and nothing else here needs it.
"""

from lectr_lab.dashboards.cell import dashboard
from lectr_lab.dashboards.page import page, write_page

__all__ = ["dashboard", "page", "write_page"]
