"""BatchNorm statistics measured again: what pruning without retraining leaves wrong."""

from __future__ import annotations

from prunectl.catalog.retraining import After, Budget, Dense, Retraining


class Recalibrate(Retraining):
    """No weight is trained; BatchNorm's means and variances are those of the pruned network on the training images."""

    name = "recalibrate"
    summary = "BatchNorm statistics are measured again, no weight is trained"
    trains = False
    budgeted = False

    def after(self, dense: Dense, budget: Budget) -> After:
        """One pass over the training images."""
        return After(recalibrates=True)
