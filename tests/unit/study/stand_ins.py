"""Small catalogue entries, so that these tests say nothing about the real ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from prunectl.catalog import tables
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.entry import Entry
from prunectl.catalog.tables import Catalog


class Digits(Entry):
    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "small digits"
    train_size: ClassVar[int] = 1000
    test_size: ClassVar[int] = 200


class Images(Entry):
    name: ClassVar[str] = "images"
    summary: ClassVar[str] = "pictures from a directory"

    side: Annotated[int, Field(ge=8, le=512, description="height and width")]
    colour: bool = True


class Vgg(Entry):
    name: ClassVar[str] = "vgg16"
    summary: ClassVar[str] = "a network"

    width: Annotated[float, Field(gt=0, le=4, description="channels, relative to the paper's")] = 1.0
    pool: Literal["max", "average"] | Annotated[int, Field(ge=1)] = "max"


class Mlp(Entry):
    name: ClassVar[str] = "mlp"
    summary: ClassVar[str] = "layers"

    hidden: tuple[int, ...] = (300, 100)


class Snip(Entry):
    name: ClassVar[str] = "snip"
    summary: ClassVar[str] = "connection sensitivity"
    rounds: ClassVar[SimpleNamespace] = SimpleNamespace(kind="one-shot", count=1)

    samples_per_class: Annotated[int, Field(ge=1, description="images of each class")] = 10


class Magnitude(Entry):
    name: ClassVar[str] = "magnitude"
    summary: ClassVar[str] = "size of the weight"


class SynFlow(Entry):
    name: ClassVar[str] = "synflow"
    summary: ClassVar[str] = "flow"
    rounds: ClassVar[SimpleNamespace] = SimpleNamespace(kind="exponential", count=100)
    scopes: ClassVar[tuple[str, ...]] = ("global",)


class Global(Entry):
    name: ClassVar[str] = "global"
    summary: ClassVar[str] = "one ranking"


class Layerwise(Entry):
    name: ClassVar[str] = "layerwise"
    summary: ClassVar[str] = "each layer alike"


class Flip(Augmentation):
    name: ClassVar[str] = "flip"
    summary: ClassVar[str] = "left and right"


class PadCrop(Augmentation):
    name: ClassVar[str] = "pad-crop"
    summary: ClassVar[str] = "shift"

    pad: Annotated[int, Field(ge=0)] = 4


ENTRIES = {
    "criteria": {
        "magnitude": "stand_ins:Magnitude",
        "snip": "stand_ins:Snip",
        "synflow": "stand_ins:SynFlow",
    },
    "scopes": {"global": "stand_ins:Global", "layerwise": "stand_ins:Layerwise"},
    "models": {"vgg16": "stand_ins:Vgg", "mlp": "stand_ins:Mlp", "broken": "no_such_module_at_all:Broken"},
    "datasets": {"digits": "stand_ins:Digits", "images": "stand_ins:Images"},
    "optimizers": tables.OPTIMIZERS,
    "schedules": tables.SCHEDULES,
    "metrics": tables.METRICS,
    "augmentations": {"flip": "stand_ins:Flip", "pad-crop": "stand_ins:PadCrop"},
}
CATALOGS = {
    name: Catalog(one=tables.CATALOGS[name].one, kind="prunectl.catalog.entry:Entry", entries=entries)
    for name, entries in ENTRIES.items()
}
