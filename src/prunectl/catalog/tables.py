"""The catalogues: name → where the entry lives. Literal, greppable, and imported only when asked for.

A third party adds an entry through an entry point of the group `prunectl.<catalogue>`; the same rules apply to it.
A name of our own cannot be taken over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from prunectl.base.errors import PrunectlError, described
from prunectl.base.text import did_you_mean
from prunectl.catalog.entry import Entry
from prunectl.catalog.required import lacking

T = TypeVar("T", bound=Entry)

CRITERIA: Mapping[str, str] = {
    "random": "prunectl.pruning.criteria.random:Random",
    "magnitude": "prunectl.pruning.criteria.magnitude:Magnitude",
    "gradient": "prunectl.pruning.criteria.gradient:Gradient",
    "activation": "prunectl.pruning.criteria.activation:Activation",
    "snip": "prunectl.pruning.criteria.snip:Snip",
    "snip-iterative": "prunectl.pruning.criteria.snip_iterative:SnipIterative",
    "grasp": "prunectl.pruning.criteria.grasp:Grasp",
    "grasp-magnitude": "prunectl.pruning.criteria.grasp_magnitude:GraspMagnitude",
    "synflow": "prunectl.pruning.criteria.synflow:SynFlow",
    "lamp": "prunectl.pruning.criteria.lamp:Lamp",
    "lap": "prunectl.pruning.criteria.lap:Lap",
    "obd": "prunectl.pruning.criteria.obd:Obd",
    "fisher": "prunectl.pruning.criteria.fisher:Fisher",
}

SCOPES: Mapping[str, str] = {
    "global": "prunectl.pruning.scopes.global_:Global",
    "layerwise": "prunectl.pruning.scopes.layerwise:Layerwise",
    "uniform": "prunectl.pruning.scopes.layerwise:Uniform",
    "uniform+": "prunectl.pruning.scopes.uniform_plus:UniformPlus",
    "erk": "prunectl.pruning.scopes.erk:Erk",
    "lamp": "prunectl.pruning.scopes.lamp:LampAllocation",
    "rates": "prunectl.pruning.scopes.rates:Rates",
}

ROUNDS: Mapping[str, str] = {
    "one-shot": "prunectl.pruning.rounds.one_shot:OneShot",
    "exponential": "prunectl.pruning.rounds.exponential:Exponential",
    "linear": "prunectl.pruning.rounds.linear:Linear",
    "iterative": "prunectl.pruning.rounds.iterative:Iterative",
}

STRUCTURES: Mapping[str, str] = {
    "weights": "prunectl.pruning.structures.weights:Weights",
    "channels": "prunectl.pruning.structures.channels:Channels",
    "n-of-m": "prunectl.pruning.structures.n_of_m:NOfM",
}

ABLATIONS: Mapping[str, str] = {
    "none": "prunectl.pruning.ablations.none:Unmodified",
    "shuffle": "prunectl.pruning.ablations.shuffle:Shuffle",
    "shuffle-global": "prunectl.pruning.ablations.shuffle_global:ShuffleGlobal",
    "reinit": "prunectl.pruning.ablations.reinit:Reinit",
    "invert": "prunectl.pruning.ablations.invert:Invert",
}

MODELS: Mapping[str, str] = {
    "tiny-cnn": "prunectl.models.tiny:TinyCnn",
    "lenet-300-100": "prunectl.models.lenet:LeNet300",
    "lenet-5": "prunectl.models.lenet:LeNet5",
    "mnist-cnn": "prunectl.models.lenet:MnistCnn",
    "vgg11": "prunectl.models.vgg:Vgg11",
    "vgg16": "prunectl.models.vgg:Vgg16",
    "vgg19": "prunectl.models.vgg:Vgg19",
    "resnet-20": "prunectl.models.resnet:ResNet20",
    "resnet-56": "prunectl.models.resnet:ResNet56",
    "resnet-110": "prunectl.models.resnet:ResNet110",
    "wrn-16-8": "prunectl.models.resnet:WideResNet16x8",
    "resnet-18": "prunectl.models.resnet:ResNet18",
    "resnet-50": "prunectl.models.resnet:ResNet50",
}

DATASETS: Mapping[str, str] = {
    "digits": "prunectl.datasets.digits:Digits",
    "mnist": "prunectl.datasets.mnist:Mnist",
    "fashion-mnist": "prunectl.datasets.mnist:FashionMnist",
    "cifar10": "prunectl.datasets.cifar:Cifar10",
    "cifar100": "prunectl.datasets.cifar:Cifar100",
    "tiny-imagenet": "prunectl.datasets.imagenet:TinyImageNet",
    "image-folder": "prunectl.datasets.pictures:ImageFolder",
    "imagenet": "prunectl.datasets.imagenet:ImageNet",
}

AUGMENTATIONS: Mapping[str, str] = {
    "pad-crop": "prunectl.training.augmentations.pad_crop:PadCrop",
    "flip": "prunectl.training.augmentations.flip:Flip",
    "random-resized-crop": "prunectl.training.augmentations.random_resized_crop:RandomResizedCrop",
}

OPTIMIZERS: Mapping[str, str] = {
    "sgd": "prunectl.training.optimizers.sgd:Sgd",
    "adam": "prunectl.training.optimizers.adam:Adam",
    "adamw": "prunectl.training.optimizers.adamw:AdamW",
    "rmsprop": "prunectl.training.optimizers.rmsprop:RmsProp",
}

SCHEDULES: Mapping[str, str] = {
    "constant": "prunectl.training.schedules.constant:Constant",
    "step": "prunectl.training.schedules.step:Step",
    "cosine": "prunectl.training.schedules.cosine:Cosine",
    "linear": "prunectl.training.schedules.linear:Linear",
    "cyclic": "prunectl.training.schedules.cyclic:Cyclic",
}

METRICS: Mapping[str, str] = {
    "top1": "prunectl.training.metrics.top1:Top1",
    "top5": "prunectl.training.metrics.top5:Top5",
    "loss": "prunectl.training.metrics.loss:Loss",
    "ece": "prunectl.training.metrics.ece:Ece",
}

EXECUTORS: Mapping[str, str] = {
    "local": "prunectl.execute.local:Local",
}


RETRAININGS: Mapping[str, str] = {
    "none": "prunectl.training.retrainings.none:NoRetraining",
    "recalibrate": "prunectl.training.retrainings.recalibrate:Recalibrate",
    "finetune": "prunectl.training.retrainings.finetune:Finetune",
    "weight-rewind": "prunectl.training.retrainings.weight_rewind:WeightRewind",
    "lr-rewind": "prunectl.training.retrainings.lr_rewind:RateRewind",
}


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One catalogue: what one of its entries is called, the class that all of them are, and our own entries."""

    one: str
    kind: str
    entries: Mapping[str, str]


CATALOGS: Mapping[str, Catalog] = {
    "criteria": Catalog(one="criterion", kind="prunectl.catalog.criterion:Criterion", entries=CRITERIA),
    "scopes": Catalog(one="scope", kind="prunectl.catalog.scope:Scope", entries=SCOPES),
    "structures": Catalog(one="structure", kind="prunectl.catalog.structure:Structure", entries=STRUCTURES),
    "rounds": Catalog(one="kind of rounds", kind="prunectl.catalog.rounds:Rounds", entries=ROUNDS),
    "ablations": Catalog(one="ablation", kind="prunectl.catalog.ablation:Ablation", entries=ABLATIONS),
    "models": Catalog(one="model", kind="prunectl.catalog.model:Model", entries=MODELS),
    "datasets": Catalog(one="data set", kind="prunectl.catalog.dataset:Dataset", entries=DATASETS),
    "augmentations": Catalog(
        one="augmentation", kind="prunectl.catalog.augmentation:Augmentation", entries=AUGMENTATIONS
    ),
    "optimizers": Catalog(one="optimizer", kind="prunectl.catalog.optimizer:Optimizer", entries=OPTIMIZERS),
    "schedules": Catalog(one="schedule", kind="prunectl.catalog.schedule:Schedule", entries=SCHEDULES),
    "metrics": Catalog(one="metric", kind="prunectl.catalog.metric:Metric", entries=METRICS),
    "retrainings": Catalog(
        one="kind of retraining", kind="prunectl.catalog.retraining:Retraining", entries=RETRAININGS
    ),
    "executors": Catalog(one="executor", kind="prunectl.catalog.executor:Executor", entries=EXECUTORS),
}


@cache
def places(catalog: str) -> dict[str, str]:
    """Every name of a catalogue with its 'module:attribute', third parties' included."""
    theirs = {point.name: point.value for point in metadata.entry_points(group=f"prunectl.{catalog}")}
    return {**theirs, **CATALOGS[catalog].entries}


def names(catalog: str) -> list[str]:
    """The names of a catalogue, ours first."""
    ours = CATALOGS[catalog].entries
    return [*ours, *sorted(set(places(catalog)) - set(ours))]


@overload
def entry_type(catalog: str, name: str) -> type[Entry]: ...
@overload
def entry_type(catalog: str, name: str, kind: type[T]) -> type[T]: ...
def entry_type(catalog: str, name: str, kind: type[Entry] = Entry) -> type[Entry]:
    """The class behind a name, which is a `kind`.

    Raises PrunectlError for an unknown name, and for an entry that cannot be imported, is not of the catalogue's
    kind, lacks what the catalogue requires, or carries another name than it is registered under (its results would
    be stored under that name's keys).
    """
    found = _entry_type(catalog, name)
    assert issubclass(found, kind), f"the {catalog} hold {kind.__name__}"
    return found


def working(catalog: str, kind: type[T]) -> tuple[type[T], ...]:
    """The classes of a catalogue, ours first, without those that cannot be used: a broken plug-in costs only itself."""
    kinds = []
    for name in names(catalog):
        with suppress(PrunectlError):
            kinds.append(entry_type(catalog, name, kind))
    return tuple(kinds)


@cache
def _entry_type(catalog: str, name: str) -> type[Entry]:
    place = places(catalog).get(name)
    if place is None:
        hint = did_you_mean(name, names(catalog), "'{}'")
        raise PrunectlError(f"no {name!r} among the {catalog}: {', '.join(names(catalog))}", hint=hint)
    hint = "fix or uninstall the package that registers it"
    try:
        found = _imported(place)
    except Exception as error:  # a plug-in's module may raise anything when it is imported
        raise PrunectlError(
            f"{name!r} of the {catalog} cannot be imported from {place}: {described(error)}", hint=hint
        ) from error
    kind = kind_of(catalog)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise PrunectlError(f"{place}, registered as {name!r} of the {catalog}, is not a {kind.__name__}", hint=hint)
    carried = getattr(found, "name", None)
    if carried != name:
        raise PrunectlError(f"{place}, registered as {name!r} of the {catalog}, calls itself {carried!r}", hint=hint)
    assert issubclass(found, Entry)
    missing = lacking(found, kind)
    if missing:
        raise PrunectlError(
            f"{place}, registered as {name!r} of the {catalog}, does not define {', '.join(missing)}", hint=hint
        )
    return found


def read_entry(catalog: str, written: str | Mapping[str, Any], kind: type[T]) -> T:
    """The entry that is written as in a study file: a name, or a table with a name and parameters.

    Raises PrunectlError for what `entry_type` refuses, and for parameters that the entry does not take.
    """
    table = {"name": written} if isinstance(written, str) else dict(written)
    found = entry_type(catalog, str(table.pop("name", "")), kind)
    try:
        return found.model_validate_json(json.dumps(table))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PrunectlError(f"{found.name!r} of the {catalog} does not take {table}: {place}: {first['msg']}") from None


def kind_of(catalog: str) -> type[Entry]:
    """The class that every entry of a catalogue is."""
    kind: type[Entry] = _imported(CATALOGS[catalog].kind)
    return kind


def _imported(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
