""" "torchvision:NAME": any classification network of torchvision, for images and classes of any number."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import nearest
from prunectl.models.library import SLASH, LibraryNetwork, class_of
from prunectl.models.weights_file import WeightsError, refuse_code

if TYPE_CHECKING:
    from torch import nn

AUXILIARY = {name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")}
"""Networks with further outputs in training, which are left out, and an initialization that has to be asked for."""


class TorchvisionNetwork(LibraryNetwork):
    """A network of torchvision, by the name that `torchvision.models.list_models()` has for it."""

    reserved = {
        "weights": 'write init = "pretrained", which downloads nothing',
        "num_classes": "it is the number of classes of the data",
        "progress": "nothing is downloaded",
    }

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Images of other than three channels get a first convolution for theirs.

        Raises ValueError for an unknown name, and whatever torchvision raises.
        """
        from torchvision import models

        names = models.list_models(module=models)
        if self.network not in names:
            close = nearest(self.network, names)
            hint = f"; did you mean torchvision:{close}?" if close else ""
            raise ValueError(f"torchvision has no classification network {self.network!r}{hint}")
        sized = {"image_size": shape[1]} if self.network.startswith("vit_") else {}
        asked: dict[str, Any] = {**AUXILIARY.get(self.network, {}), **sized, **self.options}
        network: nn.Module = models.get_model(self.network, weights=None, num_classes=classes, **asked)
        return network if shape[0] == 3 else _for_channels(network, shape[0])

    def pretrained_file(self) -> Path:
        """The file of torchvision's best weights in its cache. Raises WeightsError where it is not there."""
        import torch
        from torchvision import models

        try:
            weights = models.get_model_weights(self.network).DEFAULT
        except (ValueError, AttributeError):
            raise WeightsError(f"torchvision has no pretrained weights for {self.network!r}") from None
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        if file.is_file():
            return file
        command = f"import torchvision; torchvision.models.get_model('{self.network}', weights='DEFAULT')"
        raise WeightsError(
            f"the pretrained weights of {self.name} are not on this machine: there is no {file}",
            hint=f'where the network is reached, `python -c "{command}"` puts them there (from {weights.url}); '
            "TORCH_HOME chooses another place",
        )

    def load_pretrained(self, shape: tuple[int, int, int], classes: int, file: Path) -> nn.Module:
        """The network with the weights of torchvision's file, read by torchvision; see `LibraryNetwork`.

        torchvision looks for it where TORCH_HOME of this process has it, and downloads it if it is not there: the
        place is given to it, because a worker may have another environment.
        """
        from torchvision import models

        from prunectl.models.fitting import load_fitting

        network = self.build(shape, classes)
        weights = models.get_model_weights(self.network).DEFAULT
        refuse_code(file)
        tensors = weights.get_state_dict(
            progress=False, weights_only=True, map_location="cpu", model_dir=str(file.parent), file_name=file.name
        )
        load_fitting(network, tensors, classes)
        return network


def _for_channels(network: nn.Module, channels: int) -> nn.Module:
    """The network with its first convolution of three channels replaced by one of others, initialized by torch."""
    from torch import nn

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == 3:
            parent, _, last = name.rpartition(".")
            replaced = nn.Conv2d(
                channels,
                module.out_channels,
                module.kernel_size,  # type: ignore[arg-type]
                stride=module.stride,  # type: ignore[arg-type]
                padding=module.padding,  # type: ignore[arg-type]
                bias=module.bias is not None,
            )
            setattr(network.get_submodule(parent), last, replaced)
            return network
    raise ValueError(f"it takes images of three channels, not {channels}")


@cache
def named(network: str) -> type[TorchvisionNetwork]:
    """The entry class of a network by its name. Whether torchvision has it is known where it is built."""
    return class_of(TorchvisionNetwork, "torchvision", network)


def __getattr__(name: str) -> type[TorchvisionNetwork]:
    """The entry class that a pickled network names (PEP 562)."""
    if not name.startswith(SLASH):
        raise AttributeError(name)
    return named(name[1:])
