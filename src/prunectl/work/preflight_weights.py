"""Preflight of weights: why a network cannot begin with those that a study asks for, drawn or loaded."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import nn

from prunectl.base import ctrl_c
from prunectl.base.errors import Path as Key
from prunectl.base.errors import Problem, described
from prunectl.base.rng import generator
from prunectl.models.fitting import note_on_head, other_head
from prunectl.models.initialization import initialize
from prunectl.models.preset import preset
from prunectl.models.weights_file import WeightsError
from prunectl.plan.steps import Loaded, Network
from prunectl.study.initial import OWN
from prunectl.work.networks import loaded
from prunectl.work.weights import misfits, read_weights

SHOWN = 3
"""Most names that a message lists."""
LOAD = 'init = { weights = "FILE.safetensors" }'


def unloadable(built: nn.Module, network: Network, files: Mapping[str, Path], key: Key) -> Iterator[Problem]:
    """A file of weights that does not fit the network, every reason at once; `key` is where the study names it.

    What is drawn again because it has another number of classes is printed.
    """
    init = network.init
    assert isinstance(init, Loaded)
    if init.by_library:
        yield from _unloadable_by_library(network, files[init.digest], key)
        return
    try:
        tensors = read_weights(files[init.digest], init.digest)
        reasons = list(misfits(built, tensors, network.classes))
        if note := note_on_head(other_head(built, tensors, network.classes), init.file, network.classes):
            sys.stderr.write(f"{note}\n")
    except WeightsError as error:
        yield Problem(path=key, message=error.message, hint=error.hint)
        return
    for reason in reasons:
        hint = "names and shapes must be those of the network's state_dict"
        yield Problem(path=key, message=f"{init.file} does not fit the network: {reason}", hint=hint)


def _unloadable_by_library(network: Network, file: Path, key: Key) -> Iterator[Problem]:
    try:
        loaded(network, 0, file)
    except WeightsError as error:
        yield Problem(path=key, message=error.message, hint=error.hint)
    except BaseException as error:  # whatever the library raises
        ctrl_c.pass_on(error)
        message = f"{file.name} cannot be loaded into {network.model.label()}: {described(error)}"
        yield Problem(path=key, message=message, hint='load another file: init = { weights = "FILE" }')


def undrawable(built: nn.Module, network: Network) -> Iterator[Problem]:
    """Parameters that no rule draws, and weights that the network's own code sets, which drawing would overwrite."""
    assert isinstance(network.init, str)
    label = network.model.label()
    if network.init == OWN:
        return
    try:
        twin = copy.deepcopy(built)
        initialize(twin, init=network.init, bn_init=network.bn_init, generator=generator(0, "check"))
    except ValueError as error:
        hint = f'let its own code draw them: init = "own"; or load them: {LOAD}'
        yield Problem(path=("model",), message=f"{label}: {error}", hint=hint)
        return
    except BaseException as error:  # weights of unusual memory, modules of third parties
        ctrl_c.pass_on(error)
        yield Problem(path=("model",), message=f"{label}: the weights cannot be drawn: {described(error)}")
        return
    yield from _overwritten(network)


def _overwritten(network: Network) -> Iterator[Problem]:
    names = preset(network.model, network.shape, network.classes)
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        message = (
            f"{network.model.label()} sets weights itself, the same in every build ({', '.join(names[:SHOWN])}{more}): "
            f"init = {json.dumps(network.init)} would draw over them"
        )
        hint = f"to begin with them, save them as safetensors and write {LOAD}; to draw weights, do not set them"
        yield Problem(path=("model",), message=message, hint=hint)
