"""The ways in which a pruned network can be run, each with what it takes on disk."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks
from prunectl.pruning.engines.compact import compact
from prunectl.pruning.mask import of_weights
from prunectl.training.pixels import memory_format
from prunectl.work import onnx_file

Forward = Callable[[Tensor], Tensor]
"""A forward pass: images (N, C, H, W) to logits (N, classes)."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A network in one form."""

    load: Callable[[], Forward]
    """Brings a copy of it into memory, and returns its forward pass."""
    size_bytes: int
    """Of its file."""
    note: str | None = None
    """What it is a form of, where its name does not show that."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Networks:
    """What the variants are made of: the dense and the masked network on the CPU, in evaluation."""

    dense: nn.Module
    dense_key: str
    masked: nn.Module
    masks: Masks
    shape: tuple[int, int, int]
    device: torch.device
    threads: int

    @cached_property
    def small(self) -> nn.Module:
        """The compact network. Raises MethodError where nothing is smaller."""
        if not self.masks:
            raise MethodError(UNPRUNED)
        small = compact(self.masked, self.masks, self.shape)
        kept, before = small.channels
        if kept == before:
            raise MethodError("no whole channel is pruned, so the network cannot be made smaller")
        return small.network.eval()

    @property
    def smallest(self) -> tuple[nn.Module, str]:
        """The compact network where there is one, else the masked one, and which it is."""
        try:
            return self.small, "compact"
        except MethodError:
            return self.masked, "masked"


UNPRUNED = "the network is not pruned"


def _dense(networks: Networks) -> Variant:
    return _in_torch(networks.dense, networks)


def _masked(networks: Networks) -> Variant:
    """Zeros in dense tensors, as `prunectl export` writes them."""
    if not networks.masks:
        raise MethodError(UNPRUNED)
    return _in_torch(networks.masked, networks)


def _compact(networks: Networks) -> Variant:
    return _in_torch(networks.small, networks)


def _sparse(networks: Networks) -> Variant:
    """Linear layers in CSR. PyTorch has no sparse kernel for convolutions."""
    if not networks.masks:
        raise MethodError(UNPRUNED)
    layers = [name.removesuffix(".weight") for name in of_weights(networks.masks)]
    network = copy.deepcopy(networks.masked)
    for name in layers:
        module = network.get_submodule(name)
        if not isinstance(module, nn.Linear):
            raise MethodError(f"PyTorch computes no convolution with a sparse weight ({name} is one)")
        parent, _, last = name.rpartition(".")
        setattr(network.get_submodule(parent), last, SparseLinear(module))
    return _in_torch(network, networks)


class SparseLinear(nn.Module):
    """A linear layer with its weight in CSR, with 32-bit indices: half the bytes of torch's default."""

    rows: Tensor
    columns: Tensor
    values: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Sparse CSR tensor support is in beta state"
            csr = layer.weight.detach().to_sparse_csr()
        self.out_in = list(csr.shape)
        self.register_buffer("rows", csr.crow_indices().int())
        self.register_buffer("columns", csr.col_indices().int())
        self.register_buffer("values", csr.values())
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())
        self.weight: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs (N, in) → (N, out)."""
        if self.weight is None:  # made of the buffers where these are by then
            self.weight = torch.sparse_csr_tensor(
                self.rows, self.columns, self.values, self.out_in, check_invariants=False
            )
        outputs = torch.matmul(self.weight, inputs.t()).t()
        return outputs if self.bias is None else outputs + self.bias


def _torch_prune(networks: Networks) -> Variant:
    """`torch.nn.utils.prune`: the weights as they were, a mask of floats, and a product of both at each pass."""
    if not networks.masks:
        raise MethodError(UNPRUNED)
    size_bytes = _bytes(_reparametrized(networks))
    return Variant(load=lambda: _placed(_reparametrized(networks), networks), size_bytes=size_bytes)


def _reparametrized(networks: Networks) -> nn.Module:
    """A copy of the network as `torch.nn.utils.prune` leaves it. One that is pruned cannot be copied."""
    network = copy.deepcopy(networks.masked)
    for name, mask in networks.masks.items():
        layer, _, parameter = name.rpartition(".")
        torch_prune.custom_from_mask(network.get_submodule(layer), parameter, mask)  # type: ignore[no-untyped-call]
    return network


def _onnx_dense(networks: Networks) -> Variant:
    return _in_onnx(networks.dense, networks, None, kept=networks.dense_key)


def _onnx(networks: Networks) -> Variant:
    if not networks.masks:
        raise MethodError(UNPRUNED)
    network, which = networks.smallest
    return _in_onnx(network, networks, f"of the {which} network")


VARIANTS: Mapping[str, Callable[[Networks], Variant]] = {
    "dense": _dense, "masked": _masked, "compact": _compact, "sparse": _sparse, "torch-prune": _torch_prune,
    "onnx-dense": _onnx_dense, "onnx": _onnx,
}  # fmt: skip
"""Every variant by its name, in the order of the table. Each raises MethodError with the reason where it has none."""


_KEPT: dict[str | None, bytes] = {}


def _in_torch(network: nn.Module, networks: Networks) -> Variant:
    return Variant(load=lambda: _placed(copy.deepcopy(network), networks), size_bytes=_bytes(network))


def _placed(network: nn.Module, networks: Networks) -> Forward:
    placed: nn.Module = network.eval().to(networks.device)
    return placed.to(memory_format=memory_format(network))


def _in_onnx(network: nn.Module, networks: Networks, note: str | None, kept: str | None = None) -> Variant:
    """`kept` is the key of a network that trials share: its file is kept in the process until another one is."""
    if networks.device.type != "cpu":
        raise MethodError("ONNX Runtime is timed on the processor only")
    content = _KEPT.get(kept) or onnx_file.exported(network, networks.shape).content
    if kept is not None:
        _KEPT.clear()
        _KEPT[kept] = content
    return Variant(
        load=lambda: onnx_file.session(content, threads=networks.threads), size_bytes=len(content), note=note
    )


def _bytes(network: nn.Module) -> int:
    """The size of a safetensors file with everything that the network holds."""
    return len(save({name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}))
