"""What a proxy is made of by its settings, when they are read and when they are again."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lectr_lab.config.reread import as_reread, in_words
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import LogError
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret, weakness

if TYPE_CHECKING:  # who only starts a child need not load the server
    from lectr_lab.proxy.routing import Router
    from lectr_lab.proxy.service import Made


class Reading:
    """Makes a lab's router and budgets. Each reading is whole, or an error.

    Args:
        lab: a folder that exists.
        hashes: under its secret; None: there is none.
    """

    def __init__(self, lab: LabFolder, hashes: KeyedHash | None) -> None:
        self._lab, self._hashes = lab, hashes

    def first(self, settings: Settings) -> "Made":
        """What the settings say.

        Raises:
            ConfigError: they cannot be followed.
        """
        from lectr_lab.proxy.gates.budget_start import open_budgets
        from lectr_lab.proxy.service import Made

        said: list[str] = []
        own = partial(_own_prices, self._lab)
        router = _router(settings)
        budgets = open_budgets(settings, self._lab, self._hashes, own, said.append)
        return Made(settings, router, budgets, tuple(said))

    def again(self, reread: Callable[[], Settings], before: "Made") -> "Made":
        """What they say now; budgets that are the same go on.

        Args:
            reread: reads the settings.
            before: what is in force.

        Raises:
            ConfigError: they cannot be read, or followed.
        """
        settings, waiting = as_reread(reread(), before.settings)
        if settings.budgets == before.settings.budgets:
            made = before._replace(settings=settings, router=_router(settings))
        else:
            made = self.first(settings)
        return made._replace(said=in_words(waiting))


def keyed_hash(lab: LabFolder) -> tuple[KeyedHash | None, list[str]]:
    """The lab's own, and what is to be said of it, without the folder's place. Without
    a secret requests pass, and users stay unknown."""
    weak = weakness(os.environ)
    try:
        return KeyedHash(hash_secret(lab, os.environ)), [weak] if weak else []
    except LogError as error:
        return None, [str(error).replace(f"{lab.root}/", "")]


def _own_prices(lab: LabFolder) -> Any:
    """The user's own, for whoever has the price list that they go before."""
    from lectr_lab.analysis.pricing.price_file import read_prices

    file = lab.root / "prices.toml"
    return read_prices(file) if file.exists() else ()


def _router(settings: Settings) -> "Router":
    """The rules, with the operator's keys of this process's environment."""
    from lectr_lab.config.operator_keys import OperatorKeys
    from lectr_lab.proxy.routing import Router
    from lectr_lab.proxy.rules_watcher import RuleBook

    rules = Path(settings.rules) if settings.rules else None
    book = RuleBook(rules, providers=settings.registry())
    return Router(settings, book, OperatorKeys(settings, os.environ))
