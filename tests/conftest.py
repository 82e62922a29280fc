"""What holds for every test."""

import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

import warm

torch.set_num_threads(1)  # tests run side by side: threads that wait for a busy core take ten times as long

# Properties meet the same examples in every run, so that a change is judged by itself and not by the luck of a draw;
# `make search` draws others, and what it finds becomes a test.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("repeatable")

warm.use()

os.environ["PRUNECTL_CONFIG"] = os.devnull  # no test obeys the settings of whoever runs it


@pytest.fixture
def cold() -> Iterator[None]:
    """Nurseries that are started and import torch, as users have them."""
    with warm.without():
        yield
