"""The charts arranged: a page that opens with the network cut, or one picture."""

from lectr_lab.dashboards.page import page, picture, write_page

__all__ = ["page", "picture", "write_page"]
