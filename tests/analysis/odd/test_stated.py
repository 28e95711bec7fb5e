"""What a budget promises."""

from lectr_lab.analysis.odd.stated import in_words, measured


def test_what_was_measured_stands_beside_what_is_stated():
    """With its interval."""
    said = in_words(0.3)

    assert "Stated: 0.3" in said
    assert f"{measured().generated[0].measured:.2g}" in in_words(
        measured().generated[0].stated
    )


def test_a_budget_under_the_floor_is_told_of_silence():
    """It is taken, with the sentence that says what it cannot do."""
    assert "silence" in in_words(0.05)
    assert "silence" not in in_words(0.1)
