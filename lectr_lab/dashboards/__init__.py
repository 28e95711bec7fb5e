"""The charts arranged: a page that opens with the network cut, or one picture."""

from lectr_lab.dashboards.cell import dashboard
from lectr_lab.dashboards.page import page, write_page
from lectr_lab.dashboards.picture import picture

__all__ = ["dashboard", "page", "picture", "write_page"]
