"""Which sum a request counts in, and that nobody's name can be read from it."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.meters import Meter, Sums, Whose
from lectr_lab.config.budget_settings import WHOM, BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash

HASHES = KeyedHash("a secret of sixteen")
names = st.sampled_from(["a", "b", "untagged"])
anybody = st.builds(Whose, names, *[st.one_of(st.none(), names)] * 4)
whoms = st.one_of(
    st.sampled_from(["all", *WHOM]),
    st.dictionaries(
        st.sampled_from(WHOM), st.sampled_from(["*", "a", "b"]), min_size=1
    ),
)


def meter(whom="all", per="day", **more) -> Meter:
    return Meter(BudgetSettings(usd=5, per=per, whom=whom, **more), HASHES)


@given(whoms, anybody, anybody)
def test_two_requests_share_a_sum_where_their_names_agree(whom, one, other):
    """In the columns that the budget is for each of."""
    budget = meter(whom)
    sums = [budget.sum_of(whose, 0.0) for whose in (one, other)]
    told = [
        whose._replace(feature=whose.feature or "untagged") for whose in (one, other)
    ]
    of = budget.budget.of

    for found, whose in zip(sums, told, strict=True):
        fits = all(
            getattr(whose, column) is not None
            and wanted in ("*", getattr(whose, column))
            for column, wanted in of.items()
        )
        assert (found is not None) == fits
    if None not in sums:
        alike = all(getattr(told[0], c) == getattr(told[1], c) for c in of)
        assert (sums[0].key == sums[1].key) == alike


moments = st.sampled_from([0.0, 40_000.0, 86_400.0, 5 * 86_400.0, 86_399.0])


@given(
    st.lists(st.tuples(whoms, st.sampled_from(["day", "week"])), max_size=3),
    st.lists(st.tuples(anybody, moments), max_size=20),
)
def test_sums_that_are_remembered_are_those_of_each_budget(budgets, requests):
    """Whoever came before, and whenever."""
    every = [meter(whom, per) for whom, per in budgets]
    sums = Sums(every)

    for whose, at_s in requests:
        each = [budget.sum_of(whose, at_s) for budget in every]
        assert sums.of(*whose, at_s) == [one for one in each if one is not None]


def test_another_window_is_another_sum():
    """And the same one has the same key in every process."""
    whose = Whose("a")
    days = [meter().sum_of(whose, 86_400.0 * day) for day in (0, 0.5, 1, 0)]

    keys = [found.key for found in days]
    assert keys[0] == keys[1] == keys[3] != keys[2]


def test_another_budget_has_other_sums():
    """Also where it is for the same; what it is for is in no name of a file."""
    one, other = meter("user"), meter("user", action="stop")
    whose = Whose("a", user="jane")

    assert one.id != other.id
    assert one.sum_of(whose, 0.0).key != other.sum_of(whose, 0.0).key
    assert meter("user").id == one.id
    assert Meter(one.budget, KeyedHash("another")).id != one.id


def test_a_limit_that_changes_keeps_its_sums():
    """Who raises a budget has spent what was spent."""
    more = Meter(BudgetSettings(usd=50, per="day"), HASHES)

    assert more.id == meter().id
    assert (more.limit, more.near) == (50 * 10**12, 40 * 10**12)
