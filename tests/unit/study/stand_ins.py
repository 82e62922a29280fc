"""Small catalogue entries, so that these tests say nothing about the real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from prunectl.catalog import tables
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Dataset
from prunectl.catalog.model import Model
from prunectl.catalog.scope import Scope
from prunectl.catalog.values import Length, Many, When, catalogued


class Digits(Dataset):
    name = "digits"
    summary = "small digits"
    train_size = 1000
    test_size = 200


class Images(Dataset):
    name = "images"
    summary = "pictures from a directory"

    side: Annotated[int, Field(ge=8, le=512, description="height and width")]
    colour: bool = True


class Vgg(Model):
    name = "vgg16"
    summary = "a network"

    width: Annotated[float, Field(gt=0, le=4, description="channels, relative to the paper's")] = 1.0
    pool: Literal["max", "average"] | Annotated[int, Field(ge=1)] = "max"


class Mlp(Model):
    name = "mlp"
    summary = "layers"

    hidden: tuple[int, ...] = (300, 100)


class Snip(Criterion):
    name = "snip"
    summary = "connection sensitivity"

    samples_per_class: Annotated[int, Field(ge=1, description="images of each class")] = 10


class Magnitude(Criterion):
    name = "magnitude"
    summary = "size of the weight"


class SynFlow(Criterion):
    name = "synflow"
    summary = "flow"
    rounds = {"name": "exponential", "count": 100}
    scopes = ("global",)


class Global(Scope):
    name = "global"
    summary = "one ranking"
    channels = "together"


class Tuned(Criterion):
    """Holds tables and other entries, as a retraining does."""

    name = "tuned"
    summary = "with tables and entries inside"

    to: When = "end"
    length: Annotated[Length | None, Field(description="how long")] = None
    scope: Annotated[Scope, *catalogued("scopes")] = Global()
    augment: Many[Annotated[Augmentation, *catalogued("augmentations")]] = ()
    rates: dict[str, Annotated[float, Field(gt=0, lt=1)]] = {}


class Ranked(Criterion):
    """Holds an entry that holds another."""

    name = "ranked"
    summary = "by another criterion"

    by: Annotated[Criterion, *catalogued("criteria")]


class Layerwise(Scope):
    name = "layerwise"
    summary = "each layer alike"


class Flip(Augmentation):
    name = "flip"
    summary = "left and right"


class PadCrop(Augmentation):
    name = "pad-crop"
    summary = "shift"

    pad: Annotated[int, Field(ge=0)] = 4


ENTRIES = {
    "criteria": {
        "magnitude": "stand_ins:Magnitude",
        "snip": "stand_ins:Snip",
        "synflow": "stand_ins:SynFlow",
        "tuned": "stand_ins:Tuned",
        "ranked": "stand_ins:Ranked",
    },
    "scopes": {"global": "stand_ins:Global", "layerwise": "stand_ins:Layerwise"},
    "models": {"vgg16": "stand_ins:Vgg", "mlp": "stand_ins:Mlp", "broken": "no_such_module_at_all:Broken"},
    "datasets": {"digits": "stand_ins:Digits", "images": "stand_ins:Images"},
    "augmentations": {"flip": "stand_ins:Flip", "pad-crop": "stand_ins:PadCrop"},
}
CATALOGS = dict(tables.CATALOGS) | {
    name: replace(tables.CATALOGS[name], entries=entries) for name, entries in ENTRIES.items()
}
