"""What is said of an import."""

from lectr_lab.log.importers.report import ImportReport, Tally, sentences


def test_everything_that_was_met_is_said_most_first():
    """Left out, told of, not readable."""
    tally = Tally()
    tally.read = 1200
    tally.left.update(a=1, b=1000)
    tally.said["have something odd"] = 2
    tally.unreadable["status"] = 3

    report = tally.report(added=190, replaced=2, known=1)

    assert list(sentences(report)) == [
        "2 were there in another form, and are replaced.",
        "1 was there already.",
        "Left out (1,000): b.",
        "Left out (1): a.",
        "Noted (2): have something odd.",
        "Not readable, and left empty: 3 status.",
    ]


def test_nothing_odd_is_nothing_said():
    """The first line is the door's."""
    assert list(sentences(ImportReport(2, 2))) == []
