"""VGG for small images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from prunectl.catalog.model import Model

if TYPE_CHECKING:
    from torch import nn


class _Vgg(Model):
    """VGG (Simonyan & Zisserman, 2015) in the CIFAR form: 3×3 convolutions with BatchNorm, one linear layer.

    As in Frankle et al. (2021) and open_lth: four max pools, then the average over what is left (2×2 of 32×32),
    then 512 → classes. Their convolutions also have biases, which the BatchNorm after each cancels: left out here
    unless `conv_bias`.
    """

    smallest = 16
    repeats: ClassVar[tuple[int, int, int, int, int]]
    """Convolutions in each of the five stages of 64, 128, 256, 512 and 512 channels."""

    conv_bias: bool = False
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    """The share of the new batch in BatchNorm's running statistics (TensorFlow's decay is 1 − this)."""

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch import nn

        from prunectl.models.blocks import chain, plain_stack

        plan: list[int | str] = []
        for stage, (width, repeat) in enumerate(zip((64, 128, 256, 512, 512), self.repeats, strict=True)):
            plan += ["M"] * (stage > 0) + [width] * repeat
        return chain(
            *plain_stack(plan, shape[0], bias=self.conv_bias, momentum=self.bn_momentum),
            ("average", nn.AdaptiveAvgPool2d(1)),
            ("flatten", nn.Flatten()),
            ("head", nn.Linear(512, classes)),
        )


class Vgg11(_Vgg):
    """Eight convolutions: configuration A."""

    name = "vgg11"
    summary = "VGG-11 for CIFAR: 8 convolutions with BatchNorm, one linear layer"
    repeats = (1, 1, 2, 2, 2)


class Vgg16(_Vgg):
    """Thirteen convolutions: configuration D."""

    name = "vgg16"
    summary = "VGG-16 for CIFAR: 13 convolutions with BatchNorm, one linear layer"
    repeats = (2, 2, 3, 3, 3)


class Vgg19(_Vgg):
    """Sixteen convolutions: configuration E."""

    name = "vgg19"
    summary = "VGG-19 for CIFAR: 16 convolutions with BatchNorm, one linear layer"
    repeats = (2, 2, 4, 4, 4)
