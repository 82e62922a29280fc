"""An ONNX file computes what the network does, or there is none. That it does: `tests/unit/test_taking_away.py`."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from prunectl.base import onnx_extra
from prunectl.base.errors import MethodError
from prunectl.work import onnx_file

SHAPE = (1, 4, 4)


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))


class Wrong:
    """An engine that computes something else."""

    def __init__(self, content: bytes, *, threads: int) -> None:
        pass

    def __call__(self, images: Tensor) -> Tensor:
        return torch.full((len(images), 3), 5.0)


def test_a_file_with_other_outputs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "session", Wrong)
    monkeypatch.setattr(onnx_file, "_written", lambda network, shape: b"")
    with pytest.raises(MethodError, match=r"differ from PyTorch's by [0-9.]+"):
        onnx_file.exported(network(), SHAPE)


def test_whatever_the_exporter_raises_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **options: object) -> None:
        raise ValueError("data-dependent control flow\nand a page of more")

    monkeypatch.setattr(torch.onnx, "export", fails)
    expected = "torch cannot export this network to ONNX: ValueError: data-dependent control flow$"
    with pytest.raises(MethodError, match=expected):
        onnx_file.exported(network(), SHAPE)


def test_a_missing_extra_is_a_reason_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_extra, "find_spec", lambda name: None if name == "onnxscript" else object())
    assert onnx_extra.missing() == "onnxscript"
    assert onnx_extra.runtime_version() is None
    with pytest.raises(MethodError, match=r"onnxscript is not installed: pip install 'prunectl\[onnx\]'"):
        onnx_file.exported(network(), SHAPE)
