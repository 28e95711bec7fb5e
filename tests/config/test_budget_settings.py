"""`[[budget]]`: what it takes, what it is called, and what is said of a wrong one."""

import pytest

from lectr_lab.config.budget_settings import BudgetSettings, first_fault
from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import ConfigError


def read(tmp_path, text: str):
    file = tmp_path / "lectr.toml"
    file.write_text(text)
    return read_settings(file, {})


@pytest.mark.parametrize(
    ("whom", "of"),
    [
        ('"all"', {}),
        ('"org"', {"org": "*"}),
        ('"user"', {"user": "*"}),
        ('{ feature = "chat" }', {"feature": "chat"}),
        ('{ user = "*", org = "a" }', {"org": "a", "user": "*"}),
    ],
)
def test_whom_a_budget_is_for(tmp_path, whom, of):
    """All together, each of something, one by its name, or each of one."""
    settings = read(tmp_path, f'[[budget]]\nusd = 5\nper = "day"\nfor = {whom}\n')

    [budget] = settings.budgets
    assert (budget.of, budget.usd, budget.action) == (of, 5.0, "warn")


def test_a_run_is_a_session():
    """By either word, and whoever else it is for."""
    for word in ("run", "session"):
        assert BudgetSettings(usd=1, per=word).of == {"session": "*"}
    both = BudgetSettings(usd=1, per="run", whom="user")
    assert both.of == {"user": "*", "session": "*"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("usd = 0", "line 2: budget number 1: usd: write US dollars above 0"),
        ("usd = nan", "usd: write US dollars above 0"),
        ("usd = 1e9", "usd: write US dollars above 0, 9,000,000 at most"),
        ('usd = "5"', "line 2: budget number 1: usd: expected `float`"),
        ('usd = 5\nper = "year"', 'line 3: budget number 1: per: write "day", "week"'),
        ('usd = 5\naction = "halt"', 'line 3: budget number 1: action: write "warn"'),
        ('usd = 5\nfor = "team"', "line 3: budget number 1: for: there is no 'team'"),
        ("usd = 5\nfor = {}", 'for: write "all", one of "org"'),
        ('usd = 5\nfor = { team = "a" }', 'for: write "all", one of "org"'),
        ('usd = 5\nfor = { org = " " }', 'for: write "all", one of "org"'),
        ('usd = 5\ntz = "Mars"', "tz: name a time zone"),
        ('usd = 5\ntz = "../../etc/passwd"', "tz: name a time zone"),
        ('usd = 5\nname = ""', "name: name it, or leave it out"),
        ("usd = 5\nlimit = 3", "there is no setting 'limit'. The settings are: usd"),
    ],
)
def test_what_cannot_be_followed_is_said_with_its_line(tmp_path, lines, said):
    """And with what to write."""
    per = "" if "per =" in lines else '\nper = "day"'

    with pytest.raises(ConfigError) as refused:
        read(tmp_path, f"[[budget]]\n{lines}{per}\n")

    assert said in str(refused.value)


def test_two_budgets_do_not_share_a_name(tmp_path):
    """Their sums would."""
    one = '[[budget]]\nusd = 5\nper = "day"\n'

    with pytest.raises(
        ConfigError, match="line 4: budget number 2: name: 'all requests, a day"
    ):
        read(tmp_path, one * 2)
    warn_and_stop = read(tmp_path, one + one.replace("5", "9") + 'action = "stop"\n')
    assert [b.title for b in warn_and_stop.budgets] == [
        "all requests, a day, warn",
        "all requests, a day, stop",
    ]


def test_a_daily_cap_is_a_budget_that_warns(tmp_path):
    """Behind the others; what is wrong with it is said of its own line."""
    settings = read(tmp_path, "[orgs.acme]\ndaily_spend_usd = 2.5\n")

    [budget] = settings.budgets
    assert (budget.of, budget.usd, budget.action) == ({"org": "acme"}, 2.5, "warn")
    assert first_fault(settings.budgets) is None
    with pytest.raises(ConfigError, match="line 2: daily_spend_usd: write US dollars"):
        read(tmp_path, "[orgs.acme]\ndaily_spend_usd = 1e7\n")
