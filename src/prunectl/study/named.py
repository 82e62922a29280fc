"""Entries of the catalogues as a study file names them: a name alone, or a table with a name and parameters."""

from __future__ import annotations

from typing import Annotated

from prunectl.catalog.ablation import Ablation
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Dataset
from prunectl.catalog.metric import Metric
from prunectl.catalog.model import Model
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.retraining import Retraining
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.schedule import Schedule
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.values import catalogued

NamedAblation = Annotated[Ablation, *catalogued("ablations")]
NamedAugmentation = Annotated[Augmentation, *catalogued("augmentations")]
NamedCriterion = Annotated[Criterion, *catalogued("criteria")]
NamedDataset = Annotated[Dataset, *catalogued("datasets")]
NamedMetric = Annotated[Metric, *catalogued("metrics")]
NamedModel = Annotated[Model, *catalogued("models")]
NamedOptimizer = Annotated[Optimizer, *catalogued("optimizers")]
NamedRetraining = Annotated[Retraining, *catalogued("retrainings")]
NamedRounds = Annotated[Rounds, *catalogued("rounds")]
NamedSchedule = Annotated[Schedule, *catalogued("schedules")]
NamedScope = Annotated[Scope, *catalogued("scopes")]
NamedStructure = Annotated[Structure, *catalogued("structures")]
