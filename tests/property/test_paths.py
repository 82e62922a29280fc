"""Weights on a path from input to output, against a search in the graph of single numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from prunectl.pruning.engines.paths import effective

Edge = tuple[int, int, tuple[str, int] | None]
"""From a number to a number, by a weight (its layer, its place in it) or by none."""


class Graph:
    """Every number that a network computes, and which of them another is computed from."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.count, self.edges = 0, list[Edge]()
        self.input = self.fresh(shape)

    def fresh(self, shape: Sequence[int]) -> Tensor:
        """Numbers that depend on nothing yet."""
        size = int(torch.tensor(list(shape)).prod())
        self.count += size
        return torch.arange(self.count - size, self.count).view(*shape)

    def join(self, sources: Tensor, targets: Tensor, weights: Sequence[tuple[str, int] | None]) -> None:
        """An edge for each."""
        self.edges += zip(sources.flatten().tolist(), targets.flatten().tolist(), weights, strict=True)

    def each(self, source: Tensor, target: Tensor) -> None:
        """From each number to the one at its place."""
        self.join(source.expand_as(target), target, [None] * target.numel())

    def on_path(self, masks: dict[str, Tensor], output: Tensor) -> dict[str, Tensor]:
        """Two searches: from the input forwards and from the output backwards."""
        kept = [edge for edge in self.edges if edge[2] is None or masks[edge[2][0]].view(-1)[edge[2][1]]]
        ahead = reachable(self.input, [(source, target) for source, target, _ in kept])
        behind = reachable(output, [(target, source) for source, target, _ in kept])
        found = {name: torch.zeros_like(mask) for name, mask in masks.items()}
        for source, target, weight in kept:
            if weight is not None and source in ahead and target in behind:
                found[weight[0]].view(-1)[weight[1]] = True
        return found


def reachable(start: Tensor, edges: Sequence[tuple[int, int]]) -> set[int]:
    """Every number that edges lead to."""
    following: dict[int, list[int]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    seen, waiting = set(start.flatten().tolist()), start.flatten().tolist()
    while waiting:
        for target in following.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


class Part(nn.Module):
    """A piece of a network that knows which numbers its outputs are computed from. Images are (C, H, W) there."""

    name = ""

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """The numbers of the output, with their edges in the graph."""
        raise NotImplementedError


class Same(Part):
    """Passes each number on: an activation function or a normalisation."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        out: Tensor = self.inner(x)
        return out

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """One edge a number."""
        target = graph.fresh(source.shape)
        graph.each(source, target)
        return target


class Conv(Part):
    """A convolution; or, functionally, one with the same weight."""

    def __init__(self, channels: int, groups: int, stride: int, kernel: int, dilation: int, functionally: bool) -> None:
        super().__init__()
        self.layer = nn.Conv2d(
            channels,
            channels,
            kernel,
            padding=dilation * (kernel // 2),
            groups=groups,
            stride=stride,
            dilation=dilation,
        )
        self.functionally = functionally

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H/stride, W/stride)."""
        if not self.functionally:
            out: Tensor = self.layer(x)
            return out
        layer = self.layer
        padding = int(layer.padding[0])
        return functional.conv2d(x, layer.weight, None, layer.stride, padding, layer.dilation, layer.groups)

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """Each kernel at each place, without the places of the padding."""
        layer = self.layer
        outputs, inputs, height, width = layer.weight.shape
        stride, padding, dilation = layer.stride[0], int(layer.padding[0]), layer.dilation[0]
        sides = [(side + 2 * padding - dilation * (height - 1) - 1) // stride + 1 for side in source.shape[1:]]
        target = graph.fresh((outputs, *sides))
        size = outputs // layer.groups
        for o, i, h, w in itertools.product(range(outputs), range(inputs), range(height), range(width)):
            place = ((o * inputs + i) * height + h) * width + w
            for y, x in itertools.product(*map(range, sides)):
                row, column = y * stride + h * dilation - padding, x * stride + w * dilation - padding
                if 0 <= row < source.shape[1] and 0 <= column < source.shape[2]:
                    channel = (o // size) * inputs + i
                    graph.edges.append((int(source[channel, row, column]), int(target[o, y, x]), (self.name, place)))
        return target


class Pool(Part):
    """Pooling of 2 by 2 numbers, stride 1, if there are as many."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """One row and column less."""
        out: Tensor = self.kind(x, 2, 1) if x.shape[2] > 1 else x
        return out

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """Four edges a number."""
        if source.shape[1] == 1:
            return source
        target = graph.fresh((source.shape[0], source.shape[1] - 1, source.shape[2] - 1))
        for row, column in itertools.product(range(2), range(2)):
            graph.each(source[:, row:, column:][:, : target.shape[1], : target.shape[2]], target)
        return target


class Around(Part):
    """Something of its own shape, added to, multiplied by, or put next to its input, or a gate for its channels."""

    def __init__(self, inner: Part, how: str) -> None:
        super().__init__()
        self.inner, self.how = inner, how

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        y: Tensor = self.inner(x)
        if self.how == "add":
            return x.clone().add_(y)
        if self.how == "multiply":
            return x * y.sigmoid()
        if self.how == "gate":
            return x * functional.adaptive_avg_pool2d(y, 1).sigmoid()
        out = torch.zeros_like(x)
        half = x.shape[1] // 2
        out[:, :half] = x[:, half:]
        out[:, half:] = y[:, half:]
        return out

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """Both are joined."""
        inner = self.inner.draw(graph, source)
        target = graph.fresh(source.shape)
        half = len(source) // 2
        if self.how == "write":
            graph.each(source[half:], target[:half])
            graph.each(inner[half:], target[half:])
            return target
        graph.each(source, target)
        if self.how == "gate":
            for place in inner.flatten(1).t():
                graph.each(place[:, None, None], target)
        else:
            graph.each(inner, target)
        return target


class Head(Part):
    """Two outputs of all numbers; applied to each half of the channels with the same weight, and joined."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs // 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, 4)."""
        first, second = x.flatten(1).chunk(2, 1)
        return torch.cat([self.layer(first), torch.einsum("ni,oi->no", second, self.layer.weight)], 1).softmax(1)

    def draw(self, graph: Graph, source: Tensor) -> Tensor:
        """Each weight twice; then all with all."""
        halves = source.flatten().chunk(2)
        middle, target = graph.fresh((2, 2)), graph.fresh((4,))
        for half, outputs in zip(halves, middle, strict=True):
            for o, output in enumerate(outputs):
                graph.join(half, output.expand_as(half), [(self.name, o * len(half) + i) for i in range(len(half))])
        for number in middle.flatten():
            graph.each(number, target)
        return target


CHANNELS, SIDE = 4, 3

SAME = st.sampled_from([
    nn.ReLU(), nn.LeakyReLU(), nn.GELU(), nn.SiLU(), nn.Hardtanh(), nn.ReLU6(), nn.Hardswish(), nn.ELU(), nn.Softplus(),
    nn.PReLU(), nn.PReLU(CHANNELS), nn.Tanh(), nn.Sigmoid(), nn.Dropout(), nn.Identity(), nn.BatchNorm2d(CHANNELS),
    nn.Mish(), nn.GroupNorm(2, CHANNELS), nn.InstanceNorm2d(CHANNELS), nn.LayerNorm([CHANNELS, SIDE, SIDE]), nn.RReLU(),
    nn.CELU(), nn.Softsign(), nn.Hardsigmoid(), nn.LogSigmoid(), nn.BatchNorm2d(CHANNELS, track_running_stats=False),
    functional.relu, functional.relu_, torch.relu, torch.cos, Tensor.tanh, torch.square, lambda x: x / 3 + 1,
    lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), lambda x: x.reshape(len(x), -1).view(x.shape),
    lambda x: x.flip(1).flip(1), lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: x.clamp(-1, 1),
])  # fmt: skip


@st.composite
def convs(draw: st.DrawFn) -> Conv:
    """Convolutions that keep the size."""
    groups, kernel = draw(st.sampled_from([1, 2, CHANNELS])), draw(st.sampled_from([1, 3]))
    return Conv(CHANNELS, groups, 1, kernel, draw(st.sampled_from([1, 2])), draw(st.booleans()))


def arounds() -> st.SearchStrategy[Around]:
    return st.builds(Around, convs(), st.sampled_from(["add", "multiply", "gate", "write"]))


BLOCKS = st.lists(st.one_of(st.builds(Same, SAME), convs(), arounds()), min_size=1, max_size=5)
POOLS = st.sampled_from([functional.max_pool2d, functional.avg_pool2d])


@given(BLOCKS, st.lists(st.builds(Pool, POOLS), max_size=2), st.floats(0.1, 1.0), st.integers(0, 1 << 20))
@settings(max_examples=60, deadline=None)
def test_a_weight_is_on_a_path_exactly_if_a_search_in_the_graph_finds_one(
    blocks: list[Part], pools: list[Part], density: float, seed: int
) -> None:
    side = SIDE - len(pools)
    parts = [*blocks, *pools, Head(CHANNELS * side * side)]
    network = nn.Sequential(*parts)
    for name, module in network.named_modules():
        if isinstance(module, Conv | Head):
            module.name = f"{name}.layer.weight"
    draws = torch.Generator().manual_seed(seed)
    weights = {name: weight for name, weight in network.named_parameters() if name.endswith(".layer.weight")}
    masks = {name: torch.rand(weight.shape, generator=draws) < density for name, weight in weights.items()}
    graph = Graph((CHANNELS, SIDE, SIDE))
    numbers = graph.input
    for part in parts:
        numbers = part.draw(graph, numbers)
    expected = graph.on_path(masks, numbers)
    found = effective(network, masks, (CHANNELS, SIDE, SIDE))
    assert {name: mask.tolist() for name, mask in found.items()} == {
        name: mask.tolist() for name, mask in expected.items()
    }
