"""How many connections there may be, and which makes room."""

import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.proxy.server.crowd import Crowd, connections_for, open_files


class Guest:
    """A connection that remembers that it was shut."""

    is_shut = False

    def shut(self) -> None:
        self.is_shut = True


def crowd_of(count: int, **limits: int) -> tuple[Crowd, list[Guest]]:
    """So many that wait, in the order that they began to."""
    crowd, guests = Crowd(LimitSettings(**limits)), [Guest() for _ in range(count)]
    for guest in guests:
        crowd.waits(guest)
    return crowd, guests


def shut(guests: list[Guest]) -> list[int]:
    return [number for number, guest in enumerate(guests) if guest.is_shut]


def test_who_has_waited_longest_makes_room():
    """One for one, as long as anybody waits."""
    crowd, guests = crowd_of(3, connections=3)
    crowd.works(guests[0])
    crowd.waits(guests[0])
    crowd.works(guests[1])

    assert crowd.room(3)
    assert shut(guests) == []
    assert crowd.room(4)
    assert shut(guests) == [2]
    assert crowd.room(4)
    assert shut(guests) == [0, 2]
    assert not crowd.room(4)


def test_those_that_wait_have_a_number_of_their_own():
    """The first goes when there is one too many."""
    _, guests = crowd_of(5, connections=100, idle_connections=3)

    assert shut(guests) == [0, 1]


def test_who_is_gone_or_turned_away_makes_no_room():
    """They are no part of those that stay."""
    crowd, guests = crowd_of(2, connections=2)
    crowd.gone(guests[0])
    crowd.turned_away(guests[1])

    assert not crowd.room(3)


def test_those_turned_away_do_not_pile_up():
    """They are told why, a few at a time."""
    crowd, guests = Crowd(LimitSettings()), [Guest() for _ in range(20)]
    for guest in guests:
        crowd.turned_away(guest)

    assert shut(guests) == [0, 1, 2, 3]


@pytest.mark.parametrize("files", [1, 64, 256, 512, 20_000])
def test_the_files_are_enough(files):
    """Two for each connection, and some beside them, but for a process that has none."""
    most = connections_for(files)

    assert most >= 1
    assert most == 1 or 2 * most + 64 <= files


def test_the_limit_on_files_says_how_many():
    """Where lectr.toml does not."""
    assert Crowd(LimitSettings()).most == connections_for(open_files())
    assert Crowd(LimitSettings(connections=7)).most == 7
