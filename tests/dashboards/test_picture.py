"""The charts as one picture."""

from lectr_lab.dashboards.picture import _whole, picture

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_is_a_png(log):
    """All charts in one; of an empty log too."""
    assert picture(log({}, {"feature": None, "model_actual": "x"})).startswith(PNG)
    assert picture(log()).startswith(PNG)


def test_a_picture_says_whose_traffic_it_shows(log):
    """Made-up traffic too, by the name of its organisation."""
    said = _whole(log({"org": "made-up-data"}), "A title", "UTC").title

    assert said.text == "A title"
    assert said.subtitle.startswith("1 requests of made-up-data cost $")
