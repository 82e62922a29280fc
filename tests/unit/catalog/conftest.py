"""Plug-ins registered as augmentations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import metadata

import pytest

from prunectl.catalog import tables

Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """Register plug-ins: `register("augmentations", blur="unit.catalog.plugins:Blur")`."""

    def clear() -> None:
        tables.places.cache_clear()
        tables._entry_type.cache_clear()

    def registered(catalog: str, **entries: str) -> None:
        group = f"prunectl.{catalog}"
        points = [
            metadata.EntryPoint(name=name.replace("_", "-"), value=value, group=group)
            for name, value in entries.items()
        ]
        monkeypatch.setattr(metadata, "entry_points", lambda group: [each for each in points if each.group == group])
        clear()

    yield registered
    monkeypatch.undo()
    clear()
