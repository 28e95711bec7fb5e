"""Whether there are budgets to count, and what counts them: prices are loaded here, where
there are."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lectr_lab.budgets.meters import Meter
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder

if TYPE_CHECKING:
    from lectr_lab.proxy.gates.budgets import Budgets

_NO_PRICES = (
    "{} the price list, which comes with genai-prices: install `lectr-lab[lab]`, or take "
    "the budget out of lectr.toml."
)


def open_budgets(
    settings: Settings,
    lab: LabFolder,
    hashes: KeyedHash | None,
    own_prices: Callable[[], Any],
    problem: Callable[[str], object],
) -> "Budgets | None":
    """What counts for a lab's budgets.

    Args:
        settings: as read.
        lab: a folder that exists.
        hashes: under its secret; None: there is none.
        own_prices: the user's own, once the price list is known to be there.
        problem: told why nothing can be counted.

    Returns:
        None where there is no budget, or where nothing can be counted.

    Raises:
        ConfigError: a budget is to stop at its limit, and nothing can be priced; or the
            user's own prices cannot be followed.
    """
    if not settings.budgets:
        return None
    try:
        from lectr_lab.proxy.gates.budget_prices import Prices
        from lectr_lab.proxy.gates.budgets import Budgets
    except ImportError:
        if any(budget.action == "stop" for budget in settings.budgets):
            raise ConfigError(_NO_PRICES.format("A budget that stops needs")) from None
        problem(_NO_PRICES.format("Budgets are not watched. They need"))
        return None
    if hashes is None:
        problem("Budgets are not counted, for they need the secret of hashes as well.")
        return None
    prices = Prices(own_prices())
    try:
        budgets = Budgets(lab, [Meter(b, hashes) for b in settings.budgets], prices)
    except OSError as error:
        problem(
            f"Budgets are not counted: state/budgets cannot be used, {error.strerror}."
        )
        return None
    budgets.look_back()
    return budgets
