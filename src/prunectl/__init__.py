"""prunectl: declarative neural-network pruning studies.

    import prunectl

    results = prunectl.run("study.toml", only="criterion=snip")
    results.trials  # a Polars table, one row per trial

The classes that plug-ins derive from are offered here too. Nothing is imported before it is used: importing prunectl
imports neither torch nor polars.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunectl.base.version import __version__

if TYPE_CHECKING:
    from prunectl.api.export import load_network
    from prunectl.api.run import run
    from prunectl.api.session import open_study
    from prunectl.catalog.ablation import Ablation
    from prunectl.catalog.augmentation import Augmentation
    from prunectl.catalog.criterion import Criterion, DataCriterion, Subject
    from prunectl.catalog.dataset import Arrays, Dataset
    from prunectl.catalog.executor import Executor
    from prunectl.catalog.hook import Hook
    from prunectl.catalog.metric import Metric
    from prunectl.catalog.model import Model
    from prunectl.catalog.optimizer import Optimizer
    from prunectl.catalog.retraining import Retraining
    from prunectl.catalog.rounds import Rounds
    from prunectl.catalog.schedule import Schedule
    from prunectl.catalog.scope import Scope
    from prunectl.catalog.structure import Structure

__all__ = [
    "Ablation",
    "Arrays",
    "Augmentation",
    "Criterion",
    "DataCriterion",
    "Dataset",
    "Executor",
    "Hook",
    "Metric",
    "Model",
    "Optimizer",
    "Retraining",
    "Rounds",
    "Schedule",
    "Scope",
    "Structure",
    "Subject",
    "__version__",
    "load_network",
    "open_study",
    "run",
]

PLACES = {
    "Ablation": "prunectl.catalog.ablation",
    "Arrays": "prunectl.catalog.dataset",
    "Augmentation": "prunectl.catalog.augmentation",
    "Criterion": "prunectl.catalog.criterion",
    "DataCriterion": "prunectl.catalog.criterion",
    "Dataset": "prunectl.catalog.dataset",
    "Executor": "prunectl.catalog.executor",
    "Hook": "prunectl.catalog.hook",
    "Metric": "prunectl.catalog.metric",
    "Model": "prunectl.catalog.model",
    "Optimizer": "prunectl.catalog.optimizer",
    "Retraining": "prunectl.catalog.retraining",
    "Rounds": "prunectl.catalog.rounds",
    "Schedule": "prunectl.catalog.schedule",
    "Scope": "prunectl.catalog.scope",
    "Structure": "prunectl.catalog.structure",
    "Subject": "prunectl.catalog.criterion",
    "load_network": "prunectl.api.export",
    "open_study": "prunectl.api.session",
    "run": "prunectl.api.run",
}
"""The module of each name, imported when the name is first used (PEP 562)."""

if not TYPE_CHECKING:  # a type checker reads the imports above, and reports names that do not exist

    def __getattr__(name: str) -> Any:
        if name not in PLACES:
            raise AttributeError(f"module 'prunectl' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(PLACES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
