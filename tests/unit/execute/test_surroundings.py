"""What a worker puts back between two steps."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from prunectl.execute.surroundings import Surroundings


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    surroundings = Surroundings()
    yield surroundings
    surroundings.restore()
    for descriptor in surroundings.descriptors:
        os.close(descriptor)


def test_everything_that_a_step_changed_is_as_it_was(surroundings: Surroundings, tmp_path: Path) -> None:
    surroundings.environment = dict(os.environ)  # pytest writes the name of the running test there
    before = described()
    os.chdir(tmp_path)
    os.umask(0o077)
    os.environ["PRUNECTL_ODD"] = "1"
    del os.environ["PATH"]
    sys.path.insert(0, str(tmp_path))
    sys.stdout = sys.stderr = None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("medium")
    surroundings.restore()
    assert described() == before


def test_a_folder_that_is_gone_costs_nothing(surroundings: Surroundings, tmp_path: Path) -> None:
    surroundings.folder = tmp_path / "gone"
    surroundings.restore()


def described() -> tuple[object, ...]:
    mask = os.umask(0)
    os.umask(mask)
    return (
        Path.cwd(), mask, dict(os.environ), list(sys.path), sys.stdout, sys.stderr, os.fstat(1).st_ino,
        torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
    )  # fmt: skip
