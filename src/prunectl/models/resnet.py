"""ResNets and a Wide ResNet, in the forms that pruning papers use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from prunectl.catalog.model import Model

if TYPE_CHECKING:
    from torch import nn


class _Residual(Model):
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    """The share of the new batch in BatchNorm's running statistics: TensorFlow's decay of 0.997 is 0.003 here."""


class _CifarResNet(_Residual):
    """He et al. (2016), §4.2: 6n + 2 layers, three stages of n blocks with 16, 32 and 64 channels.

    `shortcut` is what happens where the shape changes. "identity": zeros for the new channels, no parameters
    (option A, the paper's for CIFAR). "projection": a 1×1 convolution without BatchNorm: with it, ResNet-20, 56 and
    110 have 272,282, 855,578 and 1,730,522 parameters. "projection-bn": with BatchNorm, as in
    Frankle et al. and open_lth.
    """

    blocks: ClassVar[int]
    """n: blocks in each stage."""

    shortcut: Literal["identity", "projection", "projection-bn"] = "identity"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from prunectl.models.residual import Basic, resnet

        return resnet(
            Basic,
            (self.blocks,) * 3,
            channels=shape[0],
            width=16,
            classes=classes,
            stem="cifar",
            kind=self.shortcut,
            momentum=self.bn_momentum,
        )


class ResNet20(_CifarResNet):
    """n = 3."""

    name = "resnet-20"
    summary = "ResNet-20 for CIFAR (16-32-64 channels), 0.27 M parameters"
    blocks = 3


class ResNet32(_CifarResNet):
    """n = 5."""

    name = "resnet-32"
    summary = "ResNet-32 for CIFAR (16-32-64 channels), 0.46 M parameters"
    blocks = 5


class ResNet44(_CifarResNet):
    """n = 7."""

    name = "resnet-44"
    summary = "ResNet-44 for CIFAR (16-32-64 channels), 0.66 M parameters"
    blocks = 7


class ResNet56(_CifarResNet):
    """n = 9."""

    name = "resnet-56"
    summary = "ResNet-56 for CIFAR (16-32-64 channels), 0.86 M parameters"
    blocks = 9


class ResNet110(_CifarResNet):
    """n = 18."""

    name = "resnet-110"
    summary = "ResNet-110 for CIFAR (16-32-64 channels), 1.7 M parameters"
    blocks = 18


class _ImageNetResNet(_Residual):
    """He et al. (2016), Table 1: four stages of 64 to 512 channels, projections with BatchNorm as shortcuts.

    `stem` "cifar": a 3×3 convolution, for images of 32 to 64 pixels (also TinyImageNet in Frankle et al.).
    "imagenet": 7×7 with stride 2 and a max pool, as torchvision has it, down to the count of parameters.
    """

    bottleneck: ClassVar[bool]
    repeats: ClassVar[tuple[int, int, int, int]]

    stem: Literal["cifar", "imagenet"] = "cifar"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from prunectl.models.residual import Basic, Bottleneck, resnet

        return resnet(
            Bottleneck if self.bottleneck else Basic,
            self.repeats,
            channels=shape[0],
            width=64,
            classes=classes,
            stem=self.stem,
            kind="projection-bn",
            momentum=self.bn_momentum,
        )


class ResNet18(_ImageNetResNet):
    """Basic blocks, two in each stage."""

    name = "resnet-18"
    summary = "ResNet-18 (64-512 channels), for CIFAR or, stem = 'imagenet', as in torchvision"
    bottleneck = False
    repeats = (2, 2, 2, 2)


class ResNet34(_ImageNetResNet):
    """Basic blocks, 3, 4, 6 and 3 in the stages."""

    name = "resnet-34"
    summary = "ResNet-34 (64-512 channels), for CIFAR or, stem = 'imagenet', as in torchvision"
    bottleneck = False
    repeats = (3, 4, 6, 3)


class ResNet50(_ImageNetResNet):
    """Bottleneck blocks, 3, 4, 6 and 3 in the stages."""

    name = "resnet-50"
    summary = "ResNet-50 (64-2048 channels), for CIFAR or, stem = 'imagenet', as in torchvision"
    bottleneck = True
    repeats = (3, 4, 6, 3)


class _PreactResNet(_Residual):
    """He et al. (2016b): BatchNorm and ReLU before each convolution, and nothing on the way of the identity.

    `shortcut` as for the ResNets, of the activated input: zeros for the new channels, or a 1×1 convolution.
    """

    repeats: ClassVar[tuple[int, ...]]
    width: ClassVar[int]
    """Channels of the first stage; each has twice those of the one before."""

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from prunectl.models.residual import preact_resnet

        return preact_resnet(
            self.repeats,
            channels=shape[0],
            width=self.width,
            classes=classes,
            kind=self._shortcut(),
            momentum=self.bn_momentum,
        )

    def _shortcut(self) -> Literal["identity", "projection"]:
        return "projection"


class _CifarPreactResNet(_PreactResNet):
    width = 16

    shortcut: Literal["identity", "projection"] = "identity"

    def _shortcut(self) -> Literal["identity", "projection"]:
        return self.shortcut


class PreactResNet20(_CifarPreactResNet):
    """Three blocks in each stage; as many parameters as `resnet-20`."""

    name = "preact-resnet-20"
    summary = "preactivated ResNet-20 for CIFAR (16-32-64 channels), 0.27 M parameters"
    repeats = (3, 3, 3)


class PreactResNet56(_CifarPreactResNet):
    """Nine blocks in each stage."""

    name = "preact-resnet-56"
    summary = "preactivated ResNet-56 for CIFAR (16-32-64 channels), 0.85 M parameters"
    repeats = (9, 9, 9)


class PreactResNet18(_PreactResNet):
    """Two blocks in each of four stages of 64 to 512 channels, 1×1 convolutions as shortcuts, for small images."""

    name = "preact-resnet-18"
    summary = "preactivated ResNet-18 (64-512 channels), for images of 32 to 64 pixels"
    repeats = (2, 2, 2, 2)
    width = 64


class ResNet12(_Residual):
    """Four blocks of three convolutions, as few-shot learning uses it: Lee et al. (2019), "MetaOptNet".

    `widths` "64-128-256-512" are those of Oreshkin et al. (2018), who have the block first. Leaky ReLU of slope 0.1;
    without DropBlock. 12,424,320 parameters before the head, or 7,996,800.
    """

    name = "resnet-12"
    summary = "ResNet-12 of few-shot learning: four blocks of three convolutions, 12.4 M parameters"
    smallest = 16

    widths: Literal["64-160-320-640", "64-128-256-512"] = "64-160-320-640"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from prunectl.models.residual import triple_resnet

        widths = tuple(map(int, self.widths.split("-")))
        return triple_resnet(widths, channels=shape[0], classes=classes, momentum=self.bn_momentum)


class WideResNet16x8(_Residual):
    """Zagoruyko & Komodakis (2016): 16 layers, eight times as wide, preactivated, no dropout."""

    name = "wrn-16-8"
    summary = "Wide ResNet-16-8 for CIFAR, 11 M parameters"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from prunectl.models.residual import wide_resnet

        return wide_resnet(2, 8, channels=shape[0], classes=classes, momentum=self.bn_momentum)
