"""A network as an ONNX file, compared in ONNX Runtime with what PyTorch computes."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.base.onnx_extra import INSTALL, missing
from prunectl.base.rng import generator

OPSET = 18
"""The version of the ONNX operators: ONNX Runtime 1.14 and later compute it."""
INPUT, OUTPUT = "images", "logits"
TOLERANCE = 1e-4
"""The largest difference between outputs, absolute, or relative to the largest output where that is above 1.

ONNX Runtime fuses and reorders sums, so that its last bits differ more than those of two networks in PyTorch do."""
BATCHES = (1, 5)
"""Batches of random images on which ONNX Runtime and PyTorch are compared: the batch axis must be dynamic."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The bytes of an ONNX file, and the largest difference found between the outputs, and the largest output."""

    content: bytes
    difference: float
    largest: float


def exported(network: nn.Module, shape: tuple[int, int, int]) -> Exported:
    """A network on the CPU in evaluation, as an ONNX file that computes the same for any number of images.

    `shape` (C, H, W) is that of the normalised float32 images. Raises MethodError if the extra is not installed, if
    the network cannot be exported, and if the outputs differ by more than TOLERANCE.
    """
    content = _written(network, shape)
    run = session(content, threads=1)
    worst = largest = 0.0
    for size in BATCHES:
        images = torch.randn((size, *shape), generator=generator(size, "onnx"))
        with torch.inference_mode():
            expected = network.eval()(images)
        worst = max(worst, float((run(images) - expected).abs().max()))
        largest = max(largest, float(expected.abs().max()))
    if not worst <= TOLERANCE * max(1.0, largest):
        raise MethodError(f"ONNX Runtime computes outputs that differ from PyTorch's by {worst:.2g}")
    return Exported(content=content, difference=worst, largest=largest)


class session:  # noqa: N801  # called like a function
    """A forward pass in ONNX Runtime on the CPU: images (N, C, H, W) to logits (N, classes)."""

    def __init__(self, content: bytes, *, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3  # errors: its warnings are about its own optimizer
        self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, images: Tensor) -> Tensor:
        """The logits, as a tensor."""
        return torch.from_numpy(self._session.run(None, {INPUT: images.numpy()})[0])


def _written(network: nn.Module, shape: tuple[int, int, int]) -> bytes:
    if lacking := missing():
        raise MethodError(f"{lacking} is not installed: {INSTALL}")
    try:
        with _quiet():
            program = torch.onnx.export(
                network.eval(),
                (torch.zeros((2, *shape)),),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
            assert program is not None
            content: bytes = program.model_proto.SerializeToString()
    except Exception as error:  # whatever torch, onnxscript or onnx raise for a network that they cannot follow
        first = str(error).strip().splitlines() or [""]
        why = f"{type(error).__name__}: {first[0][:300]}"
        raise MethodError(f"torch cannot export this network to ONNX: {why}") from error
    return content


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter logs and warns about itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
