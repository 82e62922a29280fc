"""Preflight of layers: what a survey finds wrong with a network, such as layers that are never called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from prunectl.base import ctrl_c
from prunectl.base.errors import Problem, described
from prunectl.models.survey import Survey, SurveyError, survey
from prunectl.plan.steps import Network
from prunectl.pruning.prunable import kept_layers, listed, refusals, remedy


def surveyed(built: nn.Module, network: Network) -> tuple[Survey | None, list[Problem]]:
    """The survey of a network, and what prevents its training. There is no survey of one that cannot be run."""
    label = network.model.label()
    wrong = [Problem(path=("model",), message=f"{label} {reason}", hint=hint) for reason, hint in _types(built)]
    if wrong:
        return None, wrong
    try:
        found = survey(built, network.shape, network.classes)
    except SurveyError as error:
        return None, [Problem(path=("model",), message=f"{label} {error}")]
    except BaseException as error:  # whatever a network's own code raises
        ctrl_c.pass_on(error)
        reason = f"cannot be trained on images of {network.shape}: {described(error)}"
        return None, [Problem(path=("model",), message=f"{label} {reason}")]
    if found.changes_images:
        message = f"{label} changes the images that it is given in place, which others look at after it"
        return found, [Problem(path=("model",), message=message, hint="write x = x - 0.5, not x -= 0.5 or x.sub_(0.5)")]
    return found, []


def _types(built: nn.Module) -> Iterator[tuple[str, str]]:
    others = [(name, kept.dtype) for name, kept in built.named_parameters() if kept.dtype != torch.float32]
    if others:
        name, dtype = others[0]
        more = f" ({len(others)} parameters are of other types than float32)" if len(others) > 1 else ""
        yield f"has {name} in {str(dtype).removeprefix('torch.')}{more}", "networks are trained in float32: build it so"


def unprunable(built: nn.Module, exclude: Sequence[str], found: Survey) -> Iterator[Problem]:
    """Layers that are to be pruned and cannot be, one problem for each reason, with the line to write."""
    for reason in (*refusals(built, exclude), *_unused(built, exclude, found)):
        yield Problem(path=("prunable", "exclude"), message=reason)


def _unused(built: nn.Module, exclude: Sequence[str], found: Survey) -> Iterator[str]:
    names = {parameter: name for name, parameter in built.named_parameters()}
    layers = {layer: names[weight] for layer, weight in kept_layers(built, exclude).items() if weight is not None}
    left = set(layers)
    for reason, holds in REASONS:
        meant = [layer for layer in layers if layer in left and holds(found, layer, layers[layer])]
        left -= set(meant)
        if meant:
            yield f"{listed(meant)} {reason}: {remedy(meant, exclude)}"


REASONS: tuple[tuple[str, Callable[[Survey, str, str], bool]], ...] = (
    (
        "called in training only, and networks are scored and measured in evaluation",
        lambda found, layer, weight: layer not in found.called and layer in found.called_in_training,
    ),
    (
        "never called, but used in another way (as by F.linear), which cannot be followed",
        lambda found, layer, weight: layer not in found.called and weight in found.reached,
    ),
    (
        "never called in the forward passes that were tried (does forward choose by its input?)",
        lambda found, layer, weight: layer not in found.called,
    ),
    (
        "called, but no gradient of the logits reaches its weight (torch.no_grad, detach, or an unused output)",
        lambda found, layer, weight: weight not in found.reached,
    ),
)
"""Why a layer cannot be pruned, as the end of a sentence, and whether that holds for a layer and its weight."""
