"""The charts as one picture."""

from lectr_lab.dashboards.picture import _whole, picture

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_is_a_png(log):
    """All charts in one; of an empty log too."""
    assert picture(log({}, {"feature": None, "model_actual": "x"})).startswith(PNG)
    assert picture(log()).startswith(PNG)


def test_a_picture_says_whose_traffic_it_shows(log):
    """Made-up traffic too, by the name of its organisation."""
    said = _whole(log({"org": "made-up-data"}), "A title", "UTC", "feature").title

    assert said.text == "A title"
    assert said.subtitle.startswith("1 requests of made-up-data cost $")


def test_a_picture_is_drawn_by_any_column(log):
    """Without the share of what is untagged, which is of features."""
    some = log({"client": "codex"}, {"client": None, "feature": "a"})

    by_client = _whole(some, "t", "UTC", "client").to_dict()
    by_feature = _whole(some, "t", "UTC", "feature").to_dict()

    assert "no client" in str(by_client) and "X-Lectr-Feature" not in str(by_client)
    assert len(by_client["concat"]) == len(by_feature["concat"]) - 1
