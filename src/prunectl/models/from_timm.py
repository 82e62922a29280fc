""" "timm:NAME": any network of timm (the extra `prunectl[timm]`), for images and classes of any number."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import PrunectlError, nearest
from prunectl.models.library import SLASH, LibraryNetwork, class_of
from prunectl.models.weights_file import WeightsError, refuse_code

if TYPE_CHECKING:
    from torch import nn


class TimmNetwork(LibraryNetwork):
    """A network of timm, by the name that `timm.list_models()` has for it, with or without a tag of its weights."""

    reserved = {
        "pretrained": 'write init = "pretrained", which downloads nothing',
        "pretrained_cfg": 'write init = "pretrained", or the tag of the weights in the name',
        "pretrained_cfg_overlay": 'write init = { weights = "FILE" }',
        "checkpoint_path": 'write init = { weights = "FILE" }',
        "cache_dir": "the variable HF_HOME chooses the place",
        "num_classes": "it is the number of classes of the data",
        "in_chans": "it is the number of channels of the data",
    }

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Raises ValueError for an unknown name, and whatever timm raises."""
        return self._made(shape, classes)

    def pretrained_file(self) -> Path:
        """The file of timm's weights in the cache of the Hugging Face hub, or of torch's. Raises WeightsError."""
        import timm
        import torch
        from huggingface_hub import try_to_load_from_cache

        configuration: Any = timm.models.get_pretrained_cfg(self._known())
        hub: Any
        hub, url = (configuration.hf_hub_id, configuration.url) if configuration else (None, None)
        if not (hub or url):
            raise WeightsError(f"timm has no pretrained weights for {self.network!r}")
        looked: list[str] = []
        for name in ("model.safetensors", "pytorch_model.bin") if hub else ():
            cached = try_to_load_from_cache(hub, configuration.hf_hub_filename or name)
            if isinstance(cached, str):
                return Path(cached)
            looked.append(f"{hub}/{name} in the cache of huggingface_hub")
        if url:
            file = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
            if file.is_file():
                return file
            looked.append(str(file))
        command = f"import timm; timm.create_model('{self.network}', pretrained=True)"
        raise WeightsError(
            f"the pretrained weights of {self.name} are not on this machine: there is no {', no '.join(looked)}",
            hint=f'where the network is reached, `python -c "{command}"` puts them there; HF_HOME and TORCH_HOME '
            "choose other places",
        )

    def load_pretrained(self, shape: tuple[int, int, int], classes: int, file: Path) -> nn.Module:
        """The network with the weights of a file, which timm reads and fits to the images and the classes."""
        refuse_code(file)
        return self._made(shape, classes, pretrained=True, pretrained_cfg_overlay={"file": str(file)})

    def _made(self, shape: tuple[int, int, int], classes: int, **more: Any) -> nn.Module:
        """The size of images is given to networks that have a fixed one; others do not take it."""
        import timm

        arguments: dict[str, Any] = {"num_classes": classes, "in_chans": shape[0], **more, **self.options}
        name = self._known()
        usual = timm.models.get_pretrained_cfg(name)
        fits = usual is not None and tuple(usual.input_size[1:]) == shape[1:]
        sizes: list[dict[str, Any]] = [{}] if fits else [{"img_size": shape[1:]}, {}]
        for size in sizes:
            try:
                network: nn.Module = timm.create_model(name, **size, **arguments)
                return network
            except TypeError as error:
                if not size or "img_size" not in str(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _known(self) -> str:
        import timm

        if not timm.is_model(self.network):
            close = nearest(self.network.partition(".")[0], timm.list_models())
            hint = f"; did you mean timm:{close}?" if close else ""
            raise ValueError(f"timm has no network {self.network!r}{hint}")
        return self.network


@cache
def named(network: str) -> type[TimmNetwork]:
    """The entry class of a network by its name. Raises PrunectlError without timm."""
    if find_spec("timm") is None:
        message = f"timm:{network} needs the package timm, which is not installed"
        raise PrunectlError(message, hint="pip install 'prunectl[timm]'")
    return class_of(TimmNetwork, "timm", network)


def __getattr__(name: str) -> type[TimmNetwork]:
    """The entry class that a pickled network names (PEP 562)."""
    if not name.startswith(SLASH):
        raise AttributeError(name)
    return named(name[1:].replace(SLASH, "."))
