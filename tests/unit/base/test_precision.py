"""How products of float32 numbers are rounded: torch's two interfaces agree, whatever others have set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch

from prunectl.base.precision import round_products

BACKENDS: Any = torch.backends


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    BACKENDS.fp32_precision = "none"
    round_products("ieee")


def interfaces() -> tuple[object, ...]:
    new = (BACKENDS.cuda.matmul, BACKENDS.cudnn.conv, BACKENDS.cudnn.rnn, BACKENDS.mkldnn.matmul, BACKENDS.mkldnn.conv)
    old = torch.get_float32_matmul_precision(), BACKENDS.cudnn.allow_tf32, BACKENDS.cuda.matmul.allow_tf32
    return *old, *(backend.fp32_precision for backend in new)


def changed(how: str) -> None:
    if how == "the older interface":
        torch.set_float32_matmul_precision("medium")
        BACKENDS.cudnn.allow_tf32 = True
    elif how == "the newer interface":
        BACKENDS.fp32_precision = "tf32"
        BACKENDS.cuda.matmul.fp32_precision = BACKENDS.cudnn.conv.fp32_precision = "none"
        BACKENDS.mkldnn.matmul.fp32_precision = "bf16"


@pytest.mark.parametrize("how", ["nothing", "the older interface", "the newer interface"])
def test_both_interfaces_agree_whatever_third_parties_set(how: str) -> None:
    changed(how)
    round_products("tf32")
    assert interfaces() == ("high", True, True, "tf32", "tf32", "tf32", "ieee", "ieee")
    changed(how)
    round_products("ieee")
    assert interfaces() == ("highest", False, False, "ieee", "ieee", "ieee", "ieee", "ieee")


@pytest.mark.parametrize("to", ["ieee", "tf32"])
def test_code_that_asks_the_older_interface_is_answered(to: Literal["ieee", "tf32"]) -> None:
    """torch raises RuntimeError if only one of the two was set: `torch.backends.cudnn.flags` reads the older one."""
    round_products(to)
    with torch.backends.cudnn.flags(enabled=False):
        pass
    round_products(to)
    assert BACKENDS.cudnn.allow_tf32 == (to == "tf32")
