"""Plug-ins registered in a catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugged import Install

Register = Callable[..., None]


@pytest.fixture
def register(installed: Install) -> Register:
    """Register classes that exist already: `register("augmentations", blur="unit.catalog.plugins:Blur")`."""

    def registered(catalog: str, **entries: str) -> None:
        lines = [f"{name.replace('_', '-')} = {place}\n" for name, place in entries.items()]
        installed("".join([f"[prunectl.{catalog}]\n", *lines]))

    return registered
