"""Every test of this folder needs a GPU of NVIDIA, and nothing else: no network, no data set that is not included.

    pytest -m cuda

runs them alone. Without a GPU they are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from prunectl.execute.hardware import settle

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    lacking = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cuda)
            item.add_marker(lacking)


@pytest.fixture(autouse=True)
def _settled() -> Iterator[None]:
    """As every step of a study begins."""
    if torch.cuda.is_available():
        settle(1)
    yield
    torch.set_num_threads(1)
