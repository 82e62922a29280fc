"""Check what needs torch, before anything is trained: every problem at once, with its hint.

Nothing here is a rule of its own: it calls what the steps will call, early, and collects what that raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch
from torch import nn

from prunectl.base import ctrl_c
from prunectl.base.batch_norm import batch_norms
from prunectl.base.errors import DataError, MethodError, Problem, described
from prunectl.base.rng import seeded
from prunectl.catalog.code import is_theirs
from prunectl.catalog.metric import Part
from prunectl.catalog.recipe import Precision
from prunectl.datasets.on_disk import is_mapped
from prunectl.models.survey import Survey
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Data, Loaded, Network
from prunectl.pruning.denominator import floored, of_prunable
from prunectl.pruning.engines.independence import REMEDY, refuse_dependence
from prunectl.pruning.mask import unreachable
from prunectl.pruning.prunable import kept_layers, prunable
from prunectl.training import precision
from prunectl.training.lone_image import values_per_channel
from prunectl.work import held, originals
from prunectl.work.networks import empty
from prunectl.work.preflight_criteria import tried
from prunectl.work.preflight_layers import surveyed, unprunable
from prunectl.work.preflight_pictures import unreadable
from prunectl.work.preflight_weights import undrawable, unloadable

CPU = torch.device("cpu")
Look = Callable[[str], None]
"""Called with what is looked at next."""
PRECISION = ("train", "precision")


def problems_of(
    preflight: Preflight,
    data_root: Path,
    weights: Mapping[str, Path] = MappingProxyType({}),
    device: torch.device = CPU,
    looking: Callable[[str, tuple[Problem, ...]], None] = lambda subject, found: None,
) -> tuple[Problem, ...]:
    """Everything that would stop the study, with the key of the study file that it is about. Empty if nothing would.

    `weights` are the files of weights that the study begins from, by the digest of their tensors;
    `device` is where steps will be done. `looking` is called before code is run that may end this process: with what
    is looked at next, and the problems found so far.
    """
    found: list[Problem] = []

    def look(subject: str) -> None:
        looking(subject, tuple(dict.fromkeys(found)))

    with seeded(preflight.seed, "preflight"):
        for problem in _all(preflight, data_root, weights, device, look):
            found.append(problem)  # noqa: PERF402  # one at a time: `look` is called between them
    return tuple(dict.fromkeys(found))


def _all(
    preflight: Preflight, data_root: Path, weights: Mapping[str, Path], device: torch.device, look: Look
) -> Iterator[Problem]:
    yield from _device(preflight.precision, device)
    for data in preflight.data:
        look(f"data set {data.dataset.label()}")
        yield from _data(data, data_root)
    yield from _pictures(preflight.parts, data_root)
    sound = []
    for network in preflight.networks:
        look(f"model {network.model.label()}")
        problems = list(_network(network, preflight, weights))
        yield from problems
        sound += [] if problems else [network]
    for network in sound:  # last: what a third party does to the process changes no other answer
        yield from _trials(network, preflight, look)


def _device(asked: Precision, device: torch.device) -> Iterator[Problem]:
    reason = precision.refusal(asked, device)
    if reason is not None:
        yield Problem(path=PRECISION, message=reason, hint=precision.REMEDY)


def _data(data: Data, root: Path) -> Iterator[Problem]:
    """Reads the data set, unless it is pictures in files: see `_pictures`."""
    dataset = data.dataset
    if dataset.in_files:
        return
    try:
        if not is_mapped(originals.arrays_of(data, root)):
            held.read(data, root)
    except DataError as error:
        yield Problem(path=("data",), message=error.message, hint=error.hint)
    except BaseException as error:  # a third party's data set may raise anything
        ctrl_c.pass_on(error)
        yield Problem(path=("data",), message=f"{dataset.label()} cannot be read: {described(error)}")


def _pictures(parts: Iterable[tuple[Data, Part]], root: Path) -> Iterator[Problem]:
    """Looks into the files that will be read. They were listed when the study was planned."""
    try:
        for reason in unreadable([(data, part) for data, part in parts if data.dataset.in_files], root):
            yield Problem(path=("data",), message=reason, hint="replace or remove the file")
    except DataError as error:
        yield Problem(path=("data",), message=error.message, hint=error.hint)


def _network(network: Network, preflight: Preflight, weights: Mapping[str, Path]) -> Iterator[Problem]:
    """A network that cannot be built or called is the one problem with it: nothing else can be asked of it."""
    label = network.model.label()
    try:
        built = empty(network, preflight.seed)
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        yield Problem(path=("model",), message=f"{label} cannot be built: {described(error)}")
        return
    image = torch.zeros((1, *network.shape))
    wrong = _refused(built.eval(), image, network.classes)
    if wrong:
        yield Problem(path=("model",), message=f"{label} {wrong}")
        return
    if isinstance(network.init, Loaded):
        yield from unloadable(built, network, weights, preflight.weights[network.init.file])
    else:
        yield from undrawable(built, network)
    found, problems = surveyed(built, network)
    yield from problems
    if found is not None:
        yield from _rounded(built, image, preflight.precision, label)
        yield from _last_batch(built, image, preflight)
        yield from _single_images(built, network, preflight)
        yield from _penalty(built, preflight)
        yield from _arms(built, network, preflight, found)


def _refused(network: nn.Module, image: torch.Tensor, classes: int) -> str | None:
    """What is wrong with the outputs for one image, or None."""
    shape = tuple(image.shape[1:])
    try:
        with torch.no_grad():
            outputs = network(image)
    except BaseException as error:  # the same
        ctrl_c.pass_on(error)
        return f"cannot take an image of {shape}: {described(error)}"
    if not isinstance(outputs, torch.Tensor) or outputs.shape != (1, classes):
        given = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        return f"gives outputs of {given} for an image of {shape}, not (1, {classes})"
    return None


def _rounded(network: nn.Module, image: torch.Tensor, asked: Precision, label: str) -> Iterator[Problem]:
    """A network that converts types itself may be unable to run under autocast."""
    try:
        with torch.no_grad(), precision.forward(asked, image.device):
            network(image)
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        message = f"{label} cannot be trained in {asked}: {described(error)}"
        yield Problem(path=PRECISION, message=message, hint='write precision = "float32"')


def _last_batch(network: nn.Module, image: torch.Tensor, preflight: Preflight) -> Iterator[Problem]:
    """A single image leaves a BatchNorm after pooling one value per channel, which has no variance."""
    if not preflight.leaves_one or 1 not in values_per_channel(network, image):
        return
    for batch_size in preflight.leaves_one:
        yield Problem(
            path=("train", "batch_size"),
            message=f"the last of {preflight.train_size:,} training images in batches of {batch_size:,} is alone "
            "in its batch, and BatchNorm cannot train on a single image",
            hint="choose another batch_size or train_limit",
        )


def _single_images(built: nn.Module, network: Network, preflight: Preflight) -> Iterator[Problem]:
    """Criteria that look at single images need a network that does."""
    for criterion, table in preflight.criteria.items():
        if not criterion.per_image:
            continue
        path = ("prune", table, "criterion")
        try:
            refuse_dependence(criterion.label(), built, network.shape)
        except MethodError as error:
            yield Problem(path=path, message=str(error), hint=REMEDY)
        except BaseException as error:  # whatever a network's own code raises
            ctrl_c.pass_on(error)
            yield Problem(path=path, message=f"criterion {criterion.label()} cannot be checked: {described(error)}")


def _penalty(built: nn.Module, preflight: Preflight) -> Iterator[Problem]:
    """A penalty on the scales of BatchNorm needs some."""
    if preflight.bn_l1 and not any(norm.affine for norm in batch_norms(built)):
        message = "has no effect: the network has no BatchNorm with a scale"
        yield Problem(path=("train", "bn_l1"), message=message, hint="leave it out")


def _arms(built: nn.Module, network: Network, preflight: Preflight, survey: Survey) -> Iterator[Problem]:
    """What is wrong with the prunable layers; if nothing is, what the choices of arms find wrong with them."""
    wrong = dict(_patterns(built, preflight.exclude))
    yield from wrong.values()
    exclude = [pattern for pattern in preflight.exclude if pattern not in wrong]
    try:
        unfit = list(unprunable(built, exclude, survey))
    except MethodError as error:
        unfit = [Problem(path=("prunable", "exclude"), message=str(error))]
    if unfit:
        yield from unfit
        return
    weights = prunable(built, exclude)
    yield from _beyond(built, weights, preflight)
    yield from _scopes(weights, preflight)
    for criterion, table in preflight.criteria.items():
        check = partial(criterion.check, built, weights, network.shape)
        for reason in _checked(f"criterion {criterion.label()}", check):
            yield Problem(path=("prune", table, "criterion"), message=reason)
    for structure, table in preflight.structures.items():
        label = f"structure {structure.label()}"
        check = partial(structure.check, built, weights, network.shape)
        for reason in _checked(label, check, f"{label}: "):
            yield Problem(path=("prune", table, "structure"), message=reason)


def _scopes(weights: Mapping[str, nn.Parameter], preflight: Preflight) -> Iterator[Problem]:
    """Scopes that leave too much of every layer, that name layers, that cannot be applied to these weights."""
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    yield from _floors(shapes, preflight)
    for scope, table in preflight.scopes.items():
        flat = {name: weight.detach().flatten() for name, weight in weights.items()} if scope.needs_weights else None
        try:
            scope.groups(shapes, 0.0, {}, flat)
        except MethodError as error:
            yield Problem(path=("prune", table, "scope"), message=f"scope {scope.label()}: {error}")
        except BaseException as error:  # a third party's scope may raise anything
            ctrl_c.pass_on(error)
            message = f"scope {scope.label()} cannot be applied: {described(error)}"
            yield Problem(path=("prune", table, "scope"), message=message)


def _checked(label: str, check: Callable[[], Iterable[str]], before: str = "") -> list[str]:
    """The reasons of an entry's own check, and one more for what a third party's may raise after them."""
    reasons: list[str] = []
    try:
        reasons.extend(before + reason for reason in check())
    except BaseException as error:
        ctrl_c.pass_on(error)
        reasons.append(f"{label} cannot be checked: {described(error)}")
    return reasons


def _trials(network: Network, preflight: Preflight, look: Look) -> Iterator[Problem]:
    """What third parties' criteria raise when they score the network."""
    asked = {criterion: table for criterion, table in preflight.criteria.items() if is_theirs(type(criterion))}
    built = empty(network, preflight.seed).eval() if asked else nn.Identity()
    for criterion, table in asked.items():
        look(f"criterion {criterion.label()}")
        again = criterion.label() == preflight.judged
        for message, hint in tried(criterion, built, network, preflight.exclude, again=again):
            yield Problem(path=("prune", table, "criterion"), message=message, hint=hint)


def _floors(shapes: dict[str, tuple[int, ...]], preflight: Preflight) -> Iterator[Problem]:
    """Scopes that leave every layer more than the highest sparsity leaves of all."""
    total = sum(math.prod(shape) for shape in shapes.values())
    left = total - round(preflight.highest * total)
    for scope, table in preflight.scopes.items():
        least = sum(scope.kept(shapes).values())
        refusal = unreachable(scope, total, left, least)
        if refusal is not None:
            hint = f"choose a smaller floor, or sparsities up to {floored(1 - least / total)}"
            yield Problem(path=("prune", table, "scope"), message=refusal, hint=hint)


def _beyond(network: nn.Module, weights: dict[str, nn.Parameter], preflight: Preflight) -> Iterator[Problem]:
    """The highest sparsity of all parameters, if there are not enough weights that may be pruned."""
    for sparsity in preflight.of_all[-1:]:
        try:
            of_prunable(sparsity, "all", network, weights)
        except MethodError as error:
            yield Problem(path=preflight.sweep, message=str(error), hint='or count with of = "prunable"')


def _patterns(network: nn.Module, exclude: tuple[str, ...]) -> Iterator[tuple[str, Problem]]:
    """Each pattern alone, so that every one that matches no layer is reported."""
    for place, pattern in enumerate(exclude):
        try:
            kept_layers(network, [pattern])
        except MethodError as error:
            yield pattern, Problem(path=("prunable", "exclude", place), message=str(error))
