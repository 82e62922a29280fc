"""Sums of squared per-image derivatives: the diagonals of the Gauss-Newton matrix and of Fisher matrices.

For an image with logits z and a loss with Hessian B = Σ_k s_k s_kᵀ in z, the diagonal of the generalized Gauss-Newton
matrix (GGN) is Σ_k (∂(s_k · z)/∂w)². So one needs, for every image and every factor s_k, the square of a gradient that
is never summed over images. Autograd gives, for all factors at once (vmap), the derivatives with respect to the
layers' *outputs*; each layer then forms its own per-image products, squares and adds them up.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.errors import MethodError
from prunectl.base.text import plural
from prunectl.catalog.criterion import Subject
from prunectl.catalog.masks import layer_of
from prunectl.pruning.engines.forward_hooks import Hook, hooked
from prunectl.pruning.prunable import layers_by_weight

PRODUCT_NUMBERS = 1 << 20
"""Numbers in one intermediate product: small enough to stay in a core's cache."""
PASS_COST = 16
"""What it costs to write, square and add up one number of a product, in multiplications of a matrix product."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """How the Hessian of the loss in the logits is written as Σ s sᵀ."""

    of: Callable[[Tensor, Tensor], Tensor]
    """Logits (N, C) and labels (N,) → factors (K, N, C)."""
    count: int | None
    """K; None for one factor a class."""


def softmax_factors(logits_NC: Tensor) -> Tensor:
    """(C, N, C): s_c = √p_c (e_c − p), so that Σ_c s_c s_cᵀ = diag(p) − p pᵀ, the Hessian of the cross-entropy."""
    p = logits_NC.softmax(1)
    eye = torch.eye(p.shape[1], dtype=p.dtype, device=p.device)
    return p.t().sqrt()[:, :, None] * (eye[:, None, :] - p)


def sampled_factors(logits_NC: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """(samples, N, C): (p − e_y)/√samples for labels y drawn from the network's own p; Σ s sᵀ is right on average."""
    p = logits_NC.softmax(1)
    drawn = torch.multinomial(p.cpu(), samples, replacement=True, generator=generator).to(p.device)
    return (p - functional.one_hot(drawn.t(), p.shape[1])) / math.sqrt(samples)


def label_factors(logits_NC: Tensor, labels: Tensor) -> Tensor:
    """(1, N, C): p − e_label, the gradient of each image's own loss."""
    return (logits_NC.softmax(1) - functional.one_hot(labels, logits_NC.shape[1]))[None]


def summed_squares(
    subject: Subject, images_NCHW: Tensor, labels_N: Tensor, factors: Factors, chunk: int
) -> dict[str, Tensor]:
    """Σ over images and factors of (∂(s · z)/∂w)², per weight; the network must treat images independently.

    At most `chunk` derivatives of logits (images × factors) are in memory at a time, but at least one image.
    """
    layers = layers_by_weight(subject.network, subject.weights)
    total = {name: torch.zeros_like(weight) for name, weight in subject.weights.items()}
    with torch.no_grad():
        count = factors.count or subject.network(images_NCHW[:1]).shape[1]
    step = max(1, chunk // count)
    for images, labels in zip(torch.split(images_NCHW, step), torch.split(labels_N, step), strict=True):
        with _frozen(subject.network), torch.enable_grad():
            logits, calls = _run(subject.network, layers, images)
        inputs = {name: _all_inputs(noted, len(images)) for name, noted in calls.items()}
        for group in torch.split(factors.of(logits.detach(), labels), chunk):
            for name, derivatives in _output_derivatives(logits, calls, group).items():
                _add_squares(total[name], derivatives, inputs[name])
    return total


def image_gradients(
    subject: Subject, names: Sequence[str], images_NCHW: Tensor, labels_N: Tensor, chunk: int
) -> Iterator[dict[str, Tensor]]:
    """The gradients of each image's own loss in these weights, (images, *shape) each, at most `chunk` images at once.

    The network must treat images independently.
    """
    layers = layers_by_weight(subject.network, names)
    for images, labels in zip(torch.split(images_NCHW, chunk), torch.split(labels_N, chunk), strict=True):
        with _frozen(subject.network), torch.enable_grad():
            logits, calls = _run(subject.network, layers, images)
            slopes = _output_derivatives(logits, calls, label_factors(logits.detach(), labels))
        inputs = {name: _all_inputs(calls[name], len(images)) for name in slopes}
        yield {name: _products(slopes[name][0], inputs[name]).view(-1, *subject.weights[name].shape) for name in slopes}


def _products(derivatives_NOL: Tensor, inputs_NGIL: Tensor) -> Tensor:
    """(N, groups, outputs, inputs): Σ_l derivative[n, o, l] · input[n, i, l]."""
    derivatives = derivatives_NOL.reshape(len(inputs_NGIL), inputs_NGIL.shape[1], -1, inputs_NGIL.shape[-1])
    return derivatives @ inputs_NGIL.transpose(-1, -2)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Derivatives stop at the outputs of layers: no parameter needs a gradient."""
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    yield
    for parameter in network.parameters():
        parameter.requires_grad_(True)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Call:
    name: str
    """Of the weight."""
    layer: nn.Module
    given: Tensor
    output: Tensor


def _run(
    network: nn.Module, layers: Mapping[str, Sequence[nn.Module]], images: Tensor
) -> tuple[Tensor, dict[str, list[_Call]]]:
    """The logits, and for each weight what its layers were called with and gave."""
    calls: dict[str, list[_Call]] = {name: [] for name in layers}

    def hook_of(name: str) -> Hook:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
            if not output.requires_grad:  # behind an embedding, which looks words up and has no derivative in them
                output.requires_grad_()
            calls[name].append(_Call(name=name, layer=module, given=inputs[0].detach(), output=output))
            return output.clone()  # so that nothing changes in place what was recorded

        return hook

    with hooked({module: hook_of(name) for name, modules in layers.items() for module in modules}):
        logits = network(images.clone().requires_grad_())
    return logits, calls


def _output_derivatives(logits: Tensor, calls: Mapping[str, list[_Call]], factors_KNC: Tensor) -> dict[str, Tensor]:
    """Per layer (K, N, outputs, places): ∂(s · z)/∂output, for all factors at once."""
    outputs = [call.output for noted in calls.values() for call in noted]
    batched = len(factors_KNC) > 1
    gradients = torch.autograd.grad(
        logits,
        outputs,
        factors_KNC if batched else factors_KNC[0],
        retain_graph=True,
        is_grads_batched=batched,
        allow_unused=True,
        materialize_grads=True,
    )
    derivatives = iter(gradients if batched else [gradient[None] for gradient in gradients])
    return {
        name: torch.cat([_with_places(call.layer, next(derivatives)) for call in noted], -1)
        for name, noted in calls.items()
        if noted
    }


def _with_places(layer: nn.Module, derivative: Tensor) -> Tensor:
    """(K, N, outputs, places); a linear layer has its outputs last, behind any places."""
    if isinstance(layer, nn.Linear):
        derivative = derivative.movedim(-1, 2)
    return derivative.reshape(*derivative.shape[:3], -1)


def refused(network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
    """Why the curvature of these weights is not known, found with a copy of the network; nothing if it is."""
    twin = copy.deepcopy(network).eval()
    parameter = next(twin.parameters())
    images = torch.ones((1, *shape), dtype=parameter.dtype, device=parameter.device)
    try:
        with torch.random.fork_rng(devices=[]), _frozen(twin), torch.enable_grad():
            _, calls = _run(twin, layers_by_weight(twin, weights), images)
        for noted in calls.values():
            _all_inputs(noted, len(images))
    except MethodError as error:
        yield str(error)


def _all_inputs(calls: Sequence[_Call], images: int) -> Tensor:
    """(N, groups, inputs · kernel, places), the places of all calls one after the other."""
    return torch.cat([_inputs(call, images) for call in calls], -1)


def _inputs(call: _Call, images: int) -> Tensor:
    """(N, groups, inputs · kernel, places): what each weight of one output is multiplied by."""
    layer, given = call.layer, call.given
    if len(given) != images:
        raise MethodError(
            f"layer {layer_of(call.name)} is called with {len(given):,} rows for {plural(images, 'image')}: which "
            "image a row belongs to is not known, and curvature is that of single images"
        )
    if isinstance(layer, nn.Linear):
        return given.reshape(images, -1, given.shape[-1]).transpose(1, 2)[:, None]
    if not isinstance(layer, nn.Conv1d | nn.Conv2d):
        what = f"{layer_of(call.name)} ({type(layer).__name__})"
        raise MethodError(f"{what} has no curvature here: only Linear, Conv1d and Conv2d have")
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(given, layer._reversed_padding_repeated_twice, mode=mode)
    row = (1,) if isinstance(layer, nn.Conv1d) else ()
    if row:
        padded = padded[:, :, None]
    unfolded = functional.unfold(
        padded, (*row, *layer.kernel_size), dilation=(*row, *layer.dilation), stride=(*row, *layer.stride)
    )
    return unfolded.view(len(given), layer.groups, -1, unfolded.shape[-1])


def _add_squares(total: Tensor, derivatives_KNOL: Tensor, inputs_NGIL: Tensor) -> None:
    """total += Σ_{k,n} (Σ_l derivative[k, n, o, l] · input[n, i, l])², in the cheaper of two ways."""
    groups, places = inputs_NGIL.shape[1], inputs_NGIL.shape[-1]
    factors, images = derivatives_KNOL.shape[:2]
    derivatives = derivatives_KNOL.reshape(factors, images, groups, -1, places)
    few = places * (places + 1) // 2 <= factors * (places + PASS_COST)
    squares = (_by_pairs if few else _one_by_one)(derivatives, inputs_NGIL)
    total.add_(squares.reshape(total.shape))


def _one_by_one(derivatives_KNGOL: Tensor, inputs_NGIL: Tensor) -> Tensor:
    """(groups, outputs, inputs): every product of a factor and an image is formed, squared and added, a few at once."""
    groups, outputs = derivatives_KNGOL.shape[2:4]
    total = inputs_NGIL.new_zeros(groups, outputs, inputs_NGIL.shape[2])
    size = max(1, PRODUCT_NUMBERS // total.numel())
    for group in torch.split(derivatives_KNGOL, size):
        step = max(1, size // len(group))
        for derivatives, inputs in zip(torch.split(group, step, 1), torch.split(inputs_NGIL, step), strict=True):
            rows = derivatives.permute(1, 2, 0, 3, 4).flatten(2, 3)
            product = (rows @ inputs.transpose(-1, -2)).square_()
            total += product.view(len(inputs), groups, len(group), outputs, -1).sum((0, 2))
    return total


def _by_pairs(derivatives_KNGOL: Tensor, inputs_NGIL: Tensor) -> Tensor:
    """The same as Σ_n Σ_{l ≤ m} (Σ_k d_l d_m) (x_l x_m), twice where l < m: one product, shorter if places are few."""
    places = inputs_NGIL.shape[-1]
    first, second = torch.triu_indices(places, places, device=inputs_NGIL.device)
    twice = torch.where(first < second, 2.0, 1.0).to(inputs_NGIL.dtype)
    gram = torch.einsum("kngol,kngom->ngolm", derivatives_KNGOL, derivatives_KNGOL)[..., first, second] * twice
    squares = inputs_NGIL[..., first] * inputs_NGIL[..., second]
    product = gram.permute(1, 2, 0, 3).flatten(2) @ squares.permute(1, 0, 3, 2).flatten(1, 2)
    return product.clamp_(min=0.0)  # rounding may leave a trace below zero


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where one of the two is constant."""
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    spread = float(a.norm() * b.norm())
    return float(a @ b) / spread if spread else 0.0


def _ranks(values: Tensor) -> Tensor:
    _, place, counts = torch.unique(values, return_inverse=True, return_counts=True)
    mean_ranks: Tensor = counts.cumsum(0).double() - (counts - 1) / 2
    return mean_ranks[place]
