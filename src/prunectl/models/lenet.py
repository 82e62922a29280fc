"""LeCun's networks for handwritten digits, and the variant of LeNet-5 of James (2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.entry import Absent
from prunectl.catalog.model import Model

if TYPE_CHECKING:
    from torch import nn

AfterConv = Annotated[
    bool, Field(description="whether an activation function follows each convolution"), Absent(value=True)
]
"""The parameter `activation_after_conv`: LeNet-5 in Caffe, and in Lee et al. (2019), pools without one."""


class LeNet300(Model):
    """Two hidden layers of 300 and 100 units (LeCun et al., 1998, §III-C-4): 266,610 parameters on MNIST."""

    name = "lenet-300-100"
    summary = "fully connected, hidden layers of 300 and 100 units"

    activation: Literal["relu", "tanh"] = "relu"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch import nn

        from prunectl.models.blocks import activation, chain

        channels, height, width = shape
        return chain(
            ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(channels * height * width, 300)),
            ("act1", activation(self.activation)),
            ("fc2", nn.Linear(300, 100)),
            ("act2", activation(self.activation)),
            ("head", nn.Linear(100, classes)),
        )


class LeNet5(Model):
    """LeNet-5 (LeCun et al., 1998, §II-B): 5×5 convolutions of 6 and 16 channels, then 120, 84 and `classes` units.

    As reimplemented everywhere: C3 sees all six maps of S2, pooling has no weights, and the output is linear
    instead of radial basis functions. The paper's tanh and averages are `activation = "tanh"`, `pool = "avg"`.
    Like the paper, which puts digits of 28×28 on 32×32, the first convolution pads smaller images to 32×32.
    61,706 parameters on MNIST. (The 20/50-channel network that is also called LeNet-5 is `mnist-cnn`.)
    `activation_after_conv = false` leaves out the activation functions after the two convolutions.
    """

    name = "lenet-5"
    summary = "two 5x5 convolutions (6, 16) and three linear layers (120, 84, classes)"

    activation: Literal["relu", "tanh"] = "relu"
    pool: Literal["max", "avg"] = "max"
    activation_after_conv: AfterConv = True

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch import nn

        from prunectl.models.blocks import activation, chain, pool

        def after_conv(name: str) -> list[tuple[str, nn.Module]]:
            return [(name, activation(self.activation))] if self.activation_after_conv else []

        channels, *sides = shape
        padding = [max(0, (33 - side) // 2) for side in sides]
        height, width = (((side + 2 * pad - 4) // 2 - 4) // 2 for side, pad in zip(sides, padding, strict=True))
        return chain(
            ("conv1", nn.Conv2d(channels, 6, 5, padding=(padding[0], padding[1]))),
            *after_conv("act1"),
            ("pool1", pool(self.pool)),
            ("conv2", nn.Conv2d(6, 16, 5)),
            *after_conv("act2"),
            ("pool2", pool(self.pool)),
            ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(16 * height * width, 120)),
            ("act3", activation(self.activation)),
            ("fc2", nn.Linear(120, 84)),
            ("act4", activation(self.activation)),
            ("head", nn.Linear(84, classes)),
        )


class MnistCnn(Model):
    """The MNIST network of James (2022), Table 4.1: 5×5 convolutions of 20 and 50 channels, 500 units, classes.

    431,080 parameters on MNIST, 430,500 of them weights: as many as "LeNet-5" in Caffe, of Han et al. (2015) and
    Lee et al. (2019), which has no activation function after its convolutions: `activation_after_conv = false`.
    """

    name = "mnist-cnn"
    summary = "two 5x5 convolutions (20, 50) and two linear layers (500, classes)"
    smallest = 16

    activation_after_conv: AfterConv = True

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        from torch import nn

        from prunectl.models.blocks import chain

        def after_conv(name: str) -> list[tuple[str, nn.Module]]:
            return [(name, nn.ReLU())] if self.activation_after_conv else []

        channels, *sides = shape
        height, width = (((side - 4) // 2 - 4) // 2 for side in sides)
        return chain(
            ("conv1", nn.Conv2d(channels, 20, 5)),
            *after_conv("act1"),
            ("pool1", nn.MaxPool2d(2)),
            ("conv2", nn.Conv2d(20, 50, 5)),
            *after_conv("act2"),
            ("pool2", nn.MaxPool2d(2)),
            ("flatten", nn.Flatten()),
            ("fc1", nn.Linear(50 * height * width, 500)),
            ("act3", nn.ReLU()),
            ("head", nn.Linear(500, classes)),
        )
