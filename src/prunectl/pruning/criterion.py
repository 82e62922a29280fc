"""Where plug-ins import `Criterion` from; it is declared in `prunectl.catalog.criterion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, DataCriterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch as Batch
    from prunectl.catalog.criterion import Scores as Scores

__all__ = ["Criterion", "DataCriterion", "Subject"]
