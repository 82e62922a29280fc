"""[data] as a frozen model."""

from __future__ import annotations

from pydantic import Field

from prunectl.catalog.metric import Part
from prunectl.catalog.section import FlatSection
from prunectl.catalog.values import Count, HeldOut
from prunectl.study.named import NamedAugmentation, NamedDataset


class DataSection(FlatSection):
    """[data]: the data set (its name and its own parameters), augmentation, and a cheaper subset if asked."""

    entry_field = "dataset"
    catalog = "datasets"

    dataset: NamedDataset = Field(description="the data set")
    augment: tuple[NamedAugmentation, ...] = Field(
        default=(), description="what is done to training images, in order; [] for nothing"
    )
    root: str | None = Field(
        default=None,
        min_length=1,
        description="the directory that holds the data, from the study's own; --data goes before it",
    )
    train_limit: Count | None = Field(
        default=None, description="the number of training images: a fixed subset, balanced over the classes"
    )
    test_limit: Count | None = Field(
        default=None, description="the number of test images: a fixed subset, balanced over the classes"
    )
    validation: HeldOut = Field(
        default=0,
        description="the number of training images that are held out and measured: fixed, balanced over the classes",
    )
    top1_train: bool = Field(
        default=False, description="whether accuracy is measured on the training images too, not augmented"
    )

    @property
    def measured(self) -> frozenset[Part]:
        """The parts of the data on which networks are measured."""
        parts: dict[Part, bool] = {"test": True, "validation": self.validation > 0, "train": self.top1_train}
        return frozenset(part for part, wanted in parts.items() if wanted)
