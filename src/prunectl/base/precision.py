"""How torch rounds the factors of products of float32 numbers. torch is imported when called."""

from __future__ import annotations

from typing import Any, Literal


def round_products(to: Literal["ieee", "tf32"]) -> None:
    """Compute matrix products and convolutions in full float32 ("ieee"), or let a GPU round their factors to TF32.

    On the CPU both are full float32. torch has two interfaces for this, and refuses to read one whose answer differs
    from the other's: both are set here, to the same, whatever third parties have done to either.
    """
    import warnings

    import torch

    rounded = to == "tf32"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older interface is deprecated, but what others call still reads it
        torch.set_float32_matmul_precision("high" if rounded else "highest")
        torch.backends.cudnn.allow_tf32 = rounded
    backends: Any = torch.backends  # whose stubs lack most of these
    for gpu in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn):
        gpu.fp32_precision = to
    for cpu in (backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn):
        cpu.fp32_precision = "ieee"
