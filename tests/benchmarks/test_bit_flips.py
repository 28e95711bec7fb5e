"""One flipped bit is never another figure, and costs no more than what it lies in."""

from bit_flips import BATCH_ROWS, STATES, journal_flips, part_flips, table


def test_a_bit_in_a_part_is_no_value_and_no_end_of_reading():
    """The part is left out, named and counted; the other days are read."""
    outcomes = part_flips(40, seed=16)

    assert outcomes == {"left out, named and counted": 40}


def test_a_bit_in_a_journal_costs_its_batch_and_is_said():
    """While its writer lives, after its death and when it is sealed; mended, in all."""
    flips = list(journal_flips(40, seed=16))

    assert {flip.state for flip in flips} == set(STATES)
    for flip in flips:
        assert flip.hidden_after_mend <= BATCH_ROWS
        assert flip.hidden <= BATCH_ROWS or flip.state == "set aside whole"
        assert flip.said or not flip.hidden
    assert len(table(part_flips(2, seed=1), flips).splitlines()) == 12
