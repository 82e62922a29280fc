"""Whether the extra `prunectl[onnx]` is installed. Nothing of it is imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
INSTALL = "pip install 'prunectl[onnx]'"


def missing() -> str | None:
    """The first of its packages that is not installed, or None."""
    return next((name for name in PACKAGES if find_spec(name) is None), None)


def runtime_version() -> str | None:
    """The version of ONNX Runtime; None unless the whole extra is installed."""
    if missing():
        return None
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"
