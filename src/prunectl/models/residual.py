"""Residual networks: basic, bottleneck and wide. Imports torch: resnet.py imports this when it builds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from prunectl.models.blocks import chain, conv1x1, conv3x3

Shortcut = Literal["identity", "projection", "projection-bn"]
Stem = Literal["cifar", "imagenet"]
SLOPE = 0.1
"""Of leaky ReLU below 0."""


class PadChannels(nn.Module):
    """The shortcut without parameters (He et al., 2016, option A): every second pixel, new channels zero."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.new = outputs - inputs
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, ⌈H/stride⌉, ⌈W/stride⌉); half of the new channels before the old ones."""
        before = self.new // 2
        kept = images[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(kept, (0, 0, 0, 0, before, self.new - before))


def shortcut(kind: Shortcut, inputs: int, outputs: int, stride: int, momentum: float) -> nn.Module:
    """What is added to a block's output: the input itself if the shape stays, otherwise as `kind` defines."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    if kind == "identity":
        return PadChannels(inputs, outputs, stride)
    if kind == "projection":
        return conv1x1(inputs, outputs, stride=stride)
    return chain(("conv", conv1x1(inputs, outputs, stride=stride)), ("bn", nn.BatchNorm2d(outputs, momentum=momentum)))


class Basic(nn.Module):
    """Two 3×3 convolutions (He et al., 2016, Figure 2)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, kind: Shortcut, momentum: float) -> None:
        super().__init__()
        self.conv1 = conv3x3(inputs, width, stride=stride)
        self.bn1 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu1 = nn.ReLU()
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, momentum=momentum)
        self.shortcut = shortcut(kind, inputs, width, stride, momentum)
        self.relu2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, width, H/stride, W/stride)."""
        inner = self.relu1(self.bn1(self.conv1(images)))
        out: Tensor = self.relu2(self.bn2(self.conv2(inner)) + self.shortcut(images))
        return out


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions (He et al., 2016, Figure 5); the stride is in the 3×3, as torchvision has it."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, kind: Shortcut, momentum: float) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = conv1x1(inputs, width)
        self.bn1 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu1 = nn.ReLU()
        self.conv2 = conv3x3(width, width, stride=stride)
        self.bn2 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu2 = nn.ReLU()
        self.conv3 = conv1x1(width, outputs)
        self.bn3 = nn.BatchNorm2d(outputs, momentum=momentum)
        self.shortcut = shortcut(kind, inputs, outputs, stride, momentum)
        self.relu3 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, 4·width, H/stride, W/stride)."""
        inner = self.relu1(self.bn1(self.conv1(images)))
        inner = self.relu2(self.bn2(self.conv2(inner)))
        out: Tensor = self.relu3(self.bn3(self.conv3(inner)) + self.shortcut(images))
        return out


class Preactivated(nn.Module):
    """BatchNorm and ReLU before each of two 3×3 convolutions (He et al., 2016b; Zagoruyko & Komodakis, 2016).

    Where the shape changes, the shortcut is one of the activated input: a 1×1 convolution, or as `kind` defines.
    """

    def __init__(self, inputs: int, width: int, stride: int, momentum: float, kind: Shortcut = "projection") -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, momentum=momentum)
        self.relu1 = nn.ReLU()
        self.conv1 = conv3x3(inputs, width, stride=stride)
        self.bn2 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu2 = nn.ReLU()
        self.conv2 = conv3x3(width, width)
        self.shortcut = shortcut(kind, inputs, width, stride, momentum)
        self.shares_activation = not isinstance(self.shortcut, nn.Identity)
        """Whether the shortcut begins after the activation, too."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, width, H/stride, W/stride)."""
        active = self.relu1(self.bn1(images))
        inner = self.conv2(self.relu2(self.bn2(self.conv1(active))))
        out: Tensor = inner + self.shortcut(active if self.shares_activation else images)
        return out


class Triple(nn.Module):
    """Three 3×3 convolutions with leaky ReLU, a projection as shortcut, and a max pool (Lee et al. 2019)."""

    def __init__(self, inputs: int, width: int, momentum: float) -> None:
        super().__init__()
        self.conv1 = conv3x3(inputs, width)
        self.bn1 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu1 = nn.LeakyReLU(SLOPE)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, momentum=momentum)
        self.relu2 = nn.LeakyReLU(SLOPE)
        self.conv3 = conv3x3(width, width)
        self.bn3 = nn.BatchNorm2d(width, momentum=momentum)
        self.shortcut = chain(("conv", conv1x1(inputs, width)), ("bn", nn.BatchNorm2d(width, momentum=momentum)))
        self.relu3 = nn.LeakyReLU(SLOPE)
        self.pool = nn.MaxPool2d(2)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, width, ⌊H/2⌋, ⌊W/2⌋)."""
        inner = self.relu1(self.bn1(self.conv1(images)))
        inner = self.relu2(self.bn2(self.conv2(inner)))
        out: Tensor = self.pool(self.relu3(self.bn3(self.conv3(inner)) + self.shortcut(images)))
        return out


Block = Callable[[int, int, int], nn.Module]
"""(channels in, width, stride) → a block."""


def resnet(
    block: type[Basic | Bottleneck],
    repeats: tuple[int, ...],
    *,
    channels: int,
    width: int,
    classes: int,
    stem: Stem,
    kind: Shortcut,
    momentum: float,
) -> nn.Sequential:
    """A ResNet: stem, one stage for each of `repeats` (the first `width` wide), average over the image, head."""
    make = partial(block, kind=kind, momentum=momentum)
    stages, outputs = _stages(make, repeats, width, width, block.expansion)
    return chain(*_stem(stem, channels, width, momentum), *stages, *_end(outputs, classes))


def wide_resnet(repeat: int, widen: int, *, channels: int, classes: int, momentum: float) -> nn.Sequential:
    """A Wide ResNet of 6·repeat + 4 layers: three stages of 16, 32 and 64 times `widen` channels."""
    make = partial(Preactivated, momentum=momentum)
    stages, outputs = _stages(make, (repeat,) * 3, 16, 16 * widen, 1)
    last = (("bn", nn.BatchNorm2d(outputs, momentum=momentum)), ("relu", nn.ReLU()))
    return chain(("conv1", conv3x3(channels, 16)), *stages, *last, *_end(outputs, classes))


def preact_resnet(
    repeats: tuple[int, ...], *, channels: int, width: int, classes: int, kind: Shortcut, momentum: float
) -> nn.Sequential:
    """A ResNet of preactivated blocks for small images: the first `width` wide, each stage twice the one before.

    The first block's shortcut begins after its activation, the last block is followed by one (He et al., 2016b,
    Appendix).
    """
    make = partial(Preactivated, momentum=momentum, kind=kind)
    stages, outputs = _stages(make, repeats, width, width, 1)
    first = next(stages[0][1].children())
    assert isinstance(first, Preactivated)
    first.shares_activation = True
    last = (("bn", nn.BatchNorm2d(outputs, momentum=momentum)), ("relu", nn.ReLU()))
    return chain(("conv1", conv3x3(channels, width)), *stages, *last, *_end(outputs, classes))


def triple_resnet(widths: tuple[int, ...], *, channels: int, classes: int, momentum: float) -> nn.Sequential:
    """A block of three convolutions for each of the widths, average over the image, head."""
    inputs = (channels, *widths)
    blocks = [(f"layer{place + 1}", Triple(inputs[place], width, momentum)) for place, width in enumerate(widths)]
    return chain(*blocks, *_end(widths[-1], classes))


def _stages(
    make: Block, repeats: tuple[int, ...], inputs: int, width: int, expansion: int
) -> tuple[list[tuple[str, nn.Module]], int]:
    """The stages layer1, layer2, ..., each twice as wide and half as large as the one before; channels at the end."""
    stages: list[tuple[str, nn.Module]] = []
    for stage, repeat in enumerate(repeats):
        blocks: list[nn.Module] = []
        for index in range(repeat):
            stride = 2 if stage > 0 and index == 0 else 1
            blocks.append(make(inputs, width * 2**stage, stride))
            inputs = width * 2**stage * expansion
        stages.append((f"layer{stage + 1}", nn.Sequential(*blocks)))
    return stages, inputs


def _stem(stem: Stem, channels: int, width: int, momentum: float) -> list[tuple[str, nn.Module]]:
    large = stem == "imagenet"
    conv = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False) if large else conv3x3(channels, width)
    named: list[tuple[str, nn.Module]] = [
        ("conv1", conv),
        ("bn1", nn.BatchNorm2d(width, momentum=momentum)),
        ("relu", nn.ReLU()),
    ]
    if large:
        named.append(("maxpool", nn.MaxPool2d(3, stride=2, padding=1)))
    return named


def _end(inputs: int, classes: int) -> tuple[tuple[str, nn.Module], ...]:
    return (
        ("average", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("head", nn.Linear(inputs, classes)),
    )
