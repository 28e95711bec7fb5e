"""The charts as one picture."""

from lectr_lab.dashboards.picture import picture

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_is_a_png(log):
    """All charts in one; of an empty log too."""
    assert picture(log({}, {"feature": None, "model_actual": "x"})).startswith(PNG)
    assert picture(log()).startswith(PNG)
