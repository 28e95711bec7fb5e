"""Which parts are on their way to a store."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.shipped import (
    destination,
    note_destination,
    note_rewritten,
    note_taken,
    taken,
)

DAY = date(2026, 11, 24)


def test_without_a_destination_nothing_is_noted(lab):
    """A lab that is not shipped has no trace of it."""
    note_taken(lab, DAY, ["a.parquet"])

    assert destination(lab) is None
    assert taken(lab, DAY) == {}
    assert list(lab.state.iterdir()) == []


def test_what_is_made_of_taken_parts_is_taken(lab):
    """Not what is made of others too."""
    note_destination(lab, "s3://bucket/prefix")
    note_taken(lab, DAY, ["a.parquet", "b.parquet"], "batch")
    note_rewritten(lab, DAY, ["a.parquet", "b.parquet"], ["ab.parquet"])
    note_rewritten(lab, DAY, ["a.parquet", "c.parquet"], ["ac.parquet"])

    assert taken(lab, DAY).keys() == {"a.parquet", "b.parquet", "ab.parquet"}


def test_the_notes_are_the_owners_alone(lab):
    """As all of a lab is."""
    note_destination(lab, "s3://bucket/prefix")
    note_taken(lab, DAY, ["a.parquet"], "batch")

    folder = lab.state / "shipping"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"]),
            min_size=1,
        ),
        unique=True,
        min_size=1,
    )
)
def test_any_file_name_is_kept(tmp_path_factory, names):
    """With spaces, line ends or full stops in it."""
    lab = LabFolder.create(tmp_path_factory.mktemp("lab"))
    note_destination(lab, "s3://bucket/prefix")
    note_taken(lab, DAY, names, "batch")

    assert taken(lab, DAY).keys() == set(names)
