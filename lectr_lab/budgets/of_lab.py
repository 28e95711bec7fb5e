"""The budgets of a lab folder, for whoever looks at it: by the lectr.toml beside it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lectr_lab.budgets.meters import Meter
from lectr_lab.budgets.states import BudgetState, budget_states
from lectr_lab.budgets.store import FOLDER
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import settings_beside
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret


def meters_of(
    lab: LabFolder, budgets: Sequence[BudgetSettings], environ: Mapping[str, str]
) -> list[Meter]:
    """A lab's budgets, as its proxies count them.

    Args:
        lab: the lab folder.
        budgets: as its settings have them.
        environ: the variables of this process.

    Raises:
        LogError: the secret of its hashes cannot be read.
    """
    counted = (lab.state / FOLDER).is_dir()
    # Where nothing was counted yet there may be no secret, and a look makes none.
    hashes = KeyedHash(hash_secret(lab, environ) if counted else "")
    return [Meter(budget, hashes) for budget in budgets]


def states_of(
    folder: Path | str,
    budgets: Sequence[BudgetSettings] | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[BudgetState]:
    """How the budgets of a lab stand now.

    Args:
        folder: the lab folder.
        budgets: its budgets; None: those of the lectr.toml beside it.
        environ: the variables of this process; None: its own.

    Returns:
        One each, in their order; none where there is no budget.

    Raises:
        ConfigError: that lectr.toml cannot be followed.
        LogError: the secret of its hashes cannot be read.

    >>> import tempfile
    >>> states_of(tempfile.mkdtemp(), [BudgetSettings(usd=5.0, per="day")])[0].left_usd
    5.0
    """
    lab, variables = LabFolder(Path(folder)), environ or os.environ
    if budgets is None:
        budgets = settings_beside(lab.root, variables).budgets
    return budget_states(lab, meters_of(lab, budgets, variables))
