"""One look at a network before it is trained: what it calls, what its logits depend on, whether it can be trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a network did with random images. Names are those of `named_modules` and `named_parameters`."""

    called: frozenset[str]
    """The modules called in evaluation, in which networks are scored and measured."""
    called_in_training: frozenset[str]
    reached: frozenset[str]
    """The parameters that the logits in evaluation have a gradient for, frozen ones included."""
    changes_images: bool
    """Whether it changed its own input in place."""


class SurveyError(ValueError):
    """The network cannot be trained on images of this shape, for a reason that its message gives."""


def survey(network: nn.Module, shape: tuple[int, int, int], classes: int) -> Survey:
    """Run a copy of the network once forward and back, in training on two images and in evaluation on one.

    The network and the global random state are as before. Raises SurveyError for outputs that are no logits (2,
    classes) in training and for a network in which no parameter learns, and whatever the network's code raises.
    """
    twin = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        images, image = torch.randn((2, *shape)), torch.randn((1, *shape))
        before = images._version, image._version
        with _calls(twin) as called_in_training:
            logits = twin.train()(images)
        _train(logits, twin, classes)
        for parameter in twin.parameters():
            parameter.requires_grad_()
        with _calls(twin) as called:
            logits = twin.eval()(image)
    return Survey(
        called=frozenset(called),
        called_in_training=frozenset(called_in_training),
        reached=frozenset(_reached(logits, twin)),
        changes_images=(images._version, image._version) != before,
    )


@contextmanager
def _calls(network: nn.Module) -> Iterator[set[str]]:
    """The names of the modules that are called in the meantime."""
    called: set[str] = set()

    def noting(name: str) -> Callable[..., None]:
        return lambda module, *_: called.update(_computing(name, module))

    with ExitStack() as stack:
        for name, module in network.named_modules():
            stack.callback(module.register_forward_pre_hook(noting(name)).remove)
        yield called


def _computing(name: str, module: nn.Module) -> Iterator[str]:
    """What computes when a module is called: attention uses the weights of its layers without calling them."""
    yield name
    if isinstance(module, nn.MultiheadAttention):
        yield from (f"{name}.{part}".lstrip(".") for part in ("in_proj", "q_proj", "k_proj", "v_proj", "out_proj"))


def _train(logits: object, network: nn.Module, classes: int) -> None:
    """One step back from the loss, as training takes it; no weight changes."""
    if not isinstance(logits, Tensor) or logits.shape != (2, classes):
        given = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise SurveyError(f"gives outputs of {given} for two images in training, not (2, {classes})")
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not learning:
        raise SurveyError("has nothing to train: requires_grad is False for each of its parameters")
    loss = functional.cross_entropy(logits, torch.arange(2) % classes)
    if not loss.requires_grad:
        raise SurveyError("gives logits without a gradient (torch.no_grad or detach?): it cannot be trained")
    torch.autograd.grad(loss, learning, allow_unused=True)


def _reached(logits: Tensor, network: nn.Module) -> Iterator[str]:
    if not logits.requires_grad:
        return
    parameters = dict(network.named_parameters())
    gradients = torch.autograd.grad(logits.sum(), list(parameters.values()), allow_unused=True)
    yield from (name for name, gradient in zip(parameters, gradients, strict=True) if gradient is not None)
