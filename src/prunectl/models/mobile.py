"""Networks of inverted residual blocks, made to be cheap: MobileNetV2 and EfficientNet-B0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.model import Model

if TYPE_CHECKING:
    from torch import nn

HALVINGS = {"cifar": 3, "imagenet": 5}
"""How often images are halved: with the small stem the first two convolutions with stride 2 have stride 1."""


class _Inverted(Model):
    """`stem` "imagenet" is the paper's and torchvision's network. "cifar", for images of 32 to 64 pixels, has stride 1
    where that halves the image for the first two times, as the small stem of a ResNet does.
    """

    stem: Literal["cifar", "imagenet"] = "cifar"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Of the features before the head."""
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.1


class MobileNetV2(_Inverted):
    """Sandler et al. (2018), Table 2. `width` multiplies all numbers of channels, the last one's only above 1.

    With `stem = "imagenet"` as in torchvision, down to the number of parameters: 3,504,872 for ImageNet.
    """

    name = "mobilenet-v2"
    summary = "MobileNetV2 (inverted residuals), for CIFAR or, stem = 'imagenet', as in torchvision"

    width: Annotated[float, Field(ge=0.1, le=4)] = 1.0

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch.nn import ReLU6

        from prunectl.models.inverted import Stage, Style, divisible, inverted_network

        table = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        return inverted_network(
            [
                Stage(expansion=t, kernel=3, stride=s, outputs=divisible(c * self.width), repeats=n)
                for t, c, n, s in table
            ],
            Style(activation=ReLU6, squeezes=False, stochastic_depth=0.0, momentum=self.bn_momentum),
            channels=shape[0],
            first=divisible(32 * self.width),
            last=divisible(1280 * max(1.0, self.width)),
            halvings=HALVINGS[self.stem],
            dropout=self.dropout,
            classes=classes,
        )


class EfficientNetB0(_Inverted):
    """Tan & Le (2019), Table 1: inverted residuals with squeeze-and-excitation and SiLU.

    `stochastic_depth` is the probability that the last block is left out in training, and falls linearly to 0 at the
    first. With `stem = "imagenet"` as in torchvision, down to the number of parameters: 5,288,548 for ImageNet.
    """

    name = "efficientnet-b0"
    summary = "EfficientNet-B0, for CIFAR or, stem = 'imagenet', as in torchvision"

    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] = 0.2

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch.nn import SiLU

        from prunectl.models.inverted import Stage, Style, inverted_network

        table = (
            (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
            (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
        )  # fmt: skip
        return inverted_network(
            [Stage(expansion=t, kernel=k, stride=s, outputs=c, repeats=n) for t, k, s, c, n in table],
            Style(activation=SiLU, squeezes=True, stochastic_depth=self.stochastic_depth, momentum=self.bn_momentum),
            channels=shape[0],
            first=32,
            last=1280,
            halvings=HALVINGS[self.stem],
            dropout=self.dropout,
            classes=classes,
        )
