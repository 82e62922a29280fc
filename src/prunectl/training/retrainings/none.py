"""Nothing follows: the pruned network is measured as it is."""

from __future__ import annotations

from prunectl.catalog.retraining import After, Budget, Dense, Retraining


class NoRetraining(Retraining):
    """Measured as it is. Pruned before the end, the network has the rest of the recipe anyway."""

    name = "none"
    summary = "no retraining: the network is measured as it was pruned"
    trains = False
    early = True
    budgeted = False

    def after(self, dense: Dense, budget: Budget) -> After:
        """Nothing."""
        return After()
