"""The catalogues: name → where the entry lives. Literal, greppable, and imported only when asked for.

A third party adds an entry through an entry point of the group `prunectl.<catalogue>`; the same rules apply to it.
A name of our own cannot be taken over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from prunectl.base import ctrl_c
from prunectl.base.errors import PrunectlError, described, their_modules
from prunectl.base.text import and_list, did_you_mean
from prunectl.catalog.catalogue import Catalog
from prunectl.catalog.code import line_of
from prunectl.catalog.entry import Entry
from prunectl.catalog.importing import imported
from prunectl.catalog.referenced import in_file
from prunectl.catalog.registered import Registration, registrations
from prunectl.catalog.usable import fault_of

T = TypeVar("T", bound=Entry)

CRITERIA: Mapping[str, str] = {
    "random": "prunectl.pruning.criteria.random:Random",
    "magnitude": "prunectl.pruning.criteria.magnitude:Magnitude",
    "gradient": "prunectl.pruning.criteria.gradient:Gradient",
    "activation": "prunectl.pruning.criteria.activation:Activation",
    "snip": "prunectl.pruning.criteria.snip:Snip",
    "snip-iterative": "prunectl.pruning.criteria.snip_iterative:SnipIterative",
    "force": "prunectl.pruning.criteria.force:Force",
    "grasp": "prunectl.pruning.criteria.grasp:Grasp",
    "grasp-magnitude": "prunectl.pruning.criteria.grasp_magnitude:GraspMagnitude",
    "synflow": "prunectl.pruning.criteria.synflow:SynFlow",
    "lamp": "prunectl.pruning.criteria.lamp:Lamp",
    "lap": "prunectl.pruning.criteria.lap:Lap",
    "obd": "prunectl.pruning.criteria.obd:Obd",
    "fisher": "prunectl.pruning.criteria.fisher:Fisher",
    "obs": "prunectl.pruning.criteria.obs:Obs",
    "l1-norm": "prunectl.pruning.criteria.filter_norm:L1Norm",
    "l2-norm": "prunectl.pruning.criteria.filter_norm:L2Norm",
    "fpgm": "prunectl.pruning.criteria.fpgm:Fpgm",
    "bn-scale": "prunectl.pruning.criteria.bn_scale:BnScale",
    "taylor": "prunectl.pruning.criteria.taylor:Taylor",
    "channel-activation": "prunectl.pruning.criteria.channel_activation:ChannelActivation",
}

SCOPES: Mapping[str, str] = {
    "global": "prunectl.pruning.scopes.global_:Global",
    "layerwise": "prunectl.pruning.scopes.layerwise:Layerwise",
    "uniform": "prunectl.pruning.scopes.layerwise:Uniform",
    "uniform+": "prunectl.pruning.scopes.uniform_plus:UniformPlus",
    "erk": "prunectl.pruning.scopes.erk:Erk",
    "er": "prunectl.pruning.scopes.er:Er",
    "lamp": "prunectl.pruning.scopes.lamp:LampAllocation",
    "rates": "prunectl.pruning.scopes.rates:Rates",
}

ROUNDS: Mapping[str, str] = {
    "one-shot": "prunectl.pruning.rounds.one_shot:OneShot",
    "exponential": "prunectl.pruning.rounds.exponential:Exponential",
    "linear": "prunectl.pruning.rounds.linear:Linear",
    "iterative": "prunectl.pruning.rounds.iterative:Iterative",
    "gradual": "prunectl.pruning.rounds.gradual:Gradual",
    "set": "prunectl.pruning.rounds.set_:SetRounds",
    "rigl": "prunectl.pruning.rounds.rigl:Rigl",
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
    "resnet-32": "prunectl.models.resnet:ResNet32",
    "resnet-44": "prunectl.models.resnet:ResNet44",
    "resnet-56": "prunectl.models.resnet:ResNet56",
    "resnet-110": "prunectl.models.resnet:ResNet110",
    "wrn-16-8": "prunectl.models.resnet:WideResNet16x8",
    "resnet-18": "prunectl.models.resnet:ResNet18",
    "resnet-34": "prunectl.models.resnet:ResNet34",
    "resnet-50": "prunectl.models.resnet:ResNet50",
    "resnet-12": "prunectl.models.resnet:ResNet12",
    "preact-resnet-20": "prunectl.models.resnet:PreactResNet20",
    "preact-resnet-56": "prunectl.models.resnet:PreactResNet56",
    "preact-resnet-18": "prunectl.models.resnet:PreactResNet18",
    "mobilenet-v2": "prunectl.models.mobile:MobileNetV2",
    "efficientnet-b0": "prunectl.models.mobile:EfficientNetB0",
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
    "top1_train": "prunectl.training.metrics.top1_train:Top1Train",
    "top1_validation": "prunectl.training.metrics.top1_validation:Top1Validation",
    "top5": "prunectl.training.metrics.top5:Top5",
    "loss": "prunectl.training.metrics.loss:Loss",
    "ece": "prunectl.training.metrics.ece:Ece",
    "matching_sparsity": "prunectl.training.metrics.matching_sparsity:MatchingSparsity",
}

LIBRARIES: Mapping[str, str] = {
    "torchvision": "prunectl.models.from_torchvision:named",
    "timm": "prunectl.models.from_timm:named",
}
"""What builds networks by name, "timm:NAME": the function that gives the entry class of NAME."""

EXECUTORS: Mapping[str, str] = {
    "local": "prunectl.execute.local:Local",
    "ray": "prunectl.execute.on_ray:Ray",
    "slurm": "prunectl.execute.slurm:Slurm",
}

TRACKERS: Mapping[str, str] = {
    "tensorboard": "prunectl.report.trackers.tensorboard:TensorBoard",
    "wandb": "prunectl.report.trackers.wandb:Wandb",
    "mlflow": "prunectl.report.trackers.mlflow:Mlflow",
    "trackio": "prunectl.report.trackers.trackio:Trackio",
}

RETRAININGS: Mapping[str, str] = {
    "none": "prunectl.training.retrainings.none:NoRetraining",
    "recalibrate": "prunectl.training.retrainings.recalibrate:Recalibrate",
    "finetune": "prunectl.training.retrainings.finetune:Finetune",
    "weight-rewind": "prunectl.training.retrainings.weight_rewind:WeightRewind",
    "lr-rewind": "prunectl.training.retrainings.lr_rewind:RateRewind",
    "rewind": "prunectl.training.retrainings.rewind:Rewind",
}


CATALOGS: Mapping[str, Catalog] = {
    "criteria": Catalog(one="criterion", kind="prunectl.catalog.criterion:Criterion", entries=CRITERIA),
    "scopes": Catalog(one="scope", kind="prunectl.catalog.scope:Scope", entries=SCOPES),
    "structures": Catalog(one="structure", kind="prunectl.catalog.structure:Structure", entries=STRUCTURES),
    "rounds": Catalog(one="kind of rounds", kind="prunectl.catalog.rounds:Rounds", entries=ROUNDS),
    "ablations": Catalog(one="ablation", kind="prunectl.catalog.ablation:Ablation", entries=ABLATIONS),
    "models": Catalog(one="model", kind="prunectl.catalog.model:Model", entries=MODELS, libraries=LIBRARIES),
    "datasets": Catalog(one="data set", kind="prunectl.catalog.dataset:Dataset", entries=DATASETS),
    "augmentations": Catalog(
        one="augmentation", kind="prunectl.catalog.augmentation:Augmentation", entries=AUGMENTATIONS
    ),
    "optimizers": Catalog(one="optimizer", kind="prunectl.catalog.optimizer:Optimizer", entries=OPTIMIZERS),
    "schedules": Catalog(one="schedule", kind="prunectl.catalog.schedule:Schedule", entries=SCHEDULES),
    "metrics": Catalog(one="metric", kind="prunectl.catalog.metric:Metric", entries=METRICS, bare=True, in_files=False),
    "retrainings": Catalog(
        one="kind of retraining", kind="prunectl.catalog.retraining:Retraining", entries=RETRAININGS
    ),
    "executors": Catalog(one="executor", kind="prunectl.catalog.executor:Executor", entries=EXECUTORS, in_files=False),
    "trackers": Catalog(one="tracker", kind="prunectl.catalog.tracker:Tracker", entries=TRACKERS, in_files=False),
}


@cache
def places(catalog: str) -> dict[str, str]:
    """Every name of a catalogue with its 'module:attribute', third parties' included."""
    theirs = {each.name: each.place for each in reversed(registrations()) if each.catalog == catalog}
    return {**theirs, **CATALOGS[catalog].entries}


def ignored(catalog: str) -> list[tuple[Registration, str]]:
    """Registrations that are not used because their name is one of ours, with the reason."""
    ours = CATALOGS[catalog].entries
    return [
        (each, f"{each.name!r} of the {catalog} is prunectl's own: {each.place} of the package {each.package} "
         f"is ignored ({each.where})")
        for each in registrations()
        if each.catalog == catalog and each.name in ours
    ]  # fmt: skip


def unknown() -> list[Registration]:
    """Registrations for a catalogue that does not exist."""
    return [each for each in registrations() if each.catalog not in CATALOGS]


def names(catalog: str) -> list[str]:
    """The names of a catalogue, ours first."""
    ours = CATALOGS[catalog].entries
    return [*ours, *sorted(set(places(catalog)) - set(ours))]


def refers(catalog: str, name: str) -> bool:
    """Whether a name means what no catalogue lists: "file:FILE.py:CLASS", "timm:NAME"."""
    known = CATALOGS[catalog]
    return (known.in_files and in_file(name) is not None) or name.partition(":")[0] in known.libraries


def _referenced(catalog: Catalog, name: str, kind: type[Entry]) -> type[Entry]:
    """Raises PrunectlError for what cannot be used."""
    if (reference := in_file(name)) is not None:
        return reference.resolved(kind, catalog.one)
    library, _, inner = name.partition(":")
    found: type[Entry] = imported(catalog.libraries[library])(inner)
    return found


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
    if refers(catalog, name):
        referenced = _referenced(CATALOGS[catalog], name, kind_of(catalog))
        assert issubclass(referenced, kind), f"the {catalog} hold {kind.__name__}"
        return referenced
    if name not in places(catalog):
        hint = did_you_mean(name, names(catalog), "'{}'")
        raise PrunectlError(f"no {name!r} among the {catalog}: {', '.join(names(catalog))}", hint=hint)
    found = _entry_type(catalog, name)
    if isinstance(found, str):
        raise PrunectlError(found, hint="fix or uninstall the package that registers it")
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
def _entry_type(catalog: str, name: str) -> type[Entry] | str:
    """The class behind a name, or why it cannot be used: a module that raises is not imported a second time."""
    ours = name in CATALOGS[catalog].entries
    lines = [each for each in registrations() if (each.catalog, each.name) == (catalog, name) and not ours]
    try:
        if len({each.place for each in lines}) > 1:
            several = and_list([f"{each.place} by {each.package} ({each.where})" for each in lines])
            raise _BrokenError(f"{name!r} of the {catalog} is registered more than once: {several}", placed=True)
        return _checked(catalog, name, places(catalog)[name])
    except _BrokenError as error:
        return str(error) if error.placed or not lines else f"{error} ({lines[0].where})"


class _BrokenError(Exception):
    """Why an entry cannot be used. `placed`: the text has the file and line."""

    def __init__(self, text: str, *, placed: bool = False) -> None:
        super().__init__(text)
        self.placed = placed


def _checked(catalog: str, name: str, place: str) -> type[Entry]:
    """The class at a place, if it can be used. Raises _BrokenError: what it raises itself costs only this entry."""
    if not metadata.EntryPoint.pattern.match(place) or ":" not in place:
        raise _BrokenError(f"{name!r} of the {catalog} is registered as {place!r}, which is not 'module:Class'")
    try:
        found = imported(place)
    except BaseException as error:  # a plug-in's module may raise anything when it is imported, or call sys.exit
        ctrl_c.pass_on(error)
        text = f"{name!r} of the {catalog} cannot be imported from {place}: {described(error, full_path=True)}"
        raise _BrokenError(text, placed=bool(their_modules(error)) or isinstance(error, SyntaxError)) from error
    what = f"{place}, registered as {name!r} of the {catalog},"
    try:
        fault = fault_of(name, found, kind_of(catalog), bare=CATALOGS[catalog].bare)
    except BaseException as error:  # a class may raise anything when it is looked at
        ctrl_c.pass_on(error)
        text = f"{what} cannot be used: {described(error, full_path=True)}"
        raise _BrokenError(text, placed=bool(their_modules(error))) from error
    if fault is not None:
        line = line_of(found)
        raise _BrokenError(f"{what} {fault}" + (f" ({line})" if line else ""), placed=line is not None)
    kind: type[Entry] = found
    return kind


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
    kind: type[Entry] = imported(CATALOGS[catalog].kind)
    return kind
