"""Inverted residual blocks, with and without attention to channels. Imports torch: mobile.py imports this to build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from prunectl.models.blocks import chain, conv1x1


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Blocks that differ in nothing but the first one's stride and input channels."""

    expansion: int
    """The channels of the depthwise convolution, per input channel of the block."""
    kernel: int
    stride: int
    outputs: int
    repeats: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What the blocks of a network have in common."""

    activation: Callable[[], nn.Module]
    squeezes: bool
    """Whether channels are weighed (Hu et al. 2018), after the depthwise convolution."""
    stochastic_depth: float
    """The probability that the last block is left out of a training step; it rises linearly from 0 at the first."""
    momentum: float


def divisible(channels: float) -> int:
    """The nearest multiple of 8, at least 8, that is no less than 90 % of `channels`: the rule of both papers' code."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


class SqueezeExcite(nn.Module):
    """A weight in (0, 1) for each channel, from the means of all channels (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.act = activation()
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape, each channel multiplied by its weight."""
        weights: Tensor = self.gate(self.expand(self.act(self.reduce(self.average(images)))))
        return weights * images


class StochasticDepth(nn.Module):
    """In training leaves a block out for single images, as dropout of all its values at once (Huang et al. 2016)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.drop = nn.Dropout3d(probability)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape: 0, or divided by the probability to stay; unchanged in evaluation."""
        if not self.training:
            return images
        dropped: Tensor = self.drop(images[:, None])[:, 0]  # an image is the one channel of a volume
        return dropped


class Inverted(nn.Module):
    """1×1 to more channels, depthwise, 1×1 to few without activation (Sandler et al. 2018, Figure 4d)."""

    def __init__(self, inputs: int, stage: Stage, stride: int, style: Style, left_out: float) -> None:
        super().__init__()
        inner, outputs = inputs * stage.expansion, stage.outputs
        named: list[tuple[str, nn.Module]] = []
        if stage.expansion > 1:
            named += [("expand", conv1x1(inputs, inner)), ("bn1", _norm(inner, style)), ("act1", style.activation())]
        depthwise = nn.Conv2d(inner, inner, stage.kernel, stride, stage.kernel // 2, groups=inner, bias=False)
        named += [("depthwise", depthwise), ("bn2", _norm(inner, style)), ("act2", style.activation())]
        if style.squeezes:
            named.append(("squeeze", SqueezeExcite(inner, max(1, inputs // 4), style.activation)))
        named += [("project", conv1x1(inner, outputs)), ("bn3", _norm(outputs, style))]
        self.body = chain(*named)
        self.adds = stride == 1 and inputs == outputs
        self.depth = StochasticDepth(left_out) if self.adds and left_out else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
        inner: Tensor = self.body(images)
        return self.depth(inner) + images if self.adds else inner


def inverted_network(
    stages: Sequence[Stage], style: Style, *, channels: int, first: int, last: int, halvings: int, dropout: float,
    classes: int,
) -> nn.Sequential:  # fmt: skip
    """A convolution, the stages, a 1×1 convolution to `last` channels, the average over the image, and the head.

    Of the convolutions with stride 2, the first of all included, only the last `halvings` have it.
    """
    strides = [2, *(stage.stride for stage in stages)]
    skipped = strides.count(2) - halvings
    for place in [place for place, stride in enumerate(strides) if stride == 2][:skipped]:
        strides[place] = 1
    named: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(channels, first, 3, strides[0], 1, bias=False)),
        ("bn1", _norm(first, style)),
        ("act1", style.activation()),
    ]
    inputs, block, blocks = first, 0, sum(stage.repeats for stage in stages)
    for number, (stage, stride) in enumerate(zip(stages, strides[1:], strict=True), start=1):
        made = []
        for repeat in range(stage.repeats):
            left_out = style.stochastic_depth * block / blocks
            made.append(Inverted(inputs, stage, stride if repeat == 0 else 1, style, left_out))
            inputs, block = stage.outputs, block + 1
        named.append((f"layer{number}", nn.Sequential(*made)))
    return chain(
        *named,
        ("conv2", conv1x1(inputs, last)),
        ("bn2", _norm(last, style)),
        ("act2", style.activation()),
        ("average", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("dropout", nn.Dropout(dropout)),
        ("head", nn.Linear(last, classes)),
    )


def _norm(channels: int, style: Style) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, momentum=style.momentum)
