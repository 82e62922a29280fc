"""The names of files in a store: what other versions and other machines rely on."""

from __future__ import annotations

from pathlib import Path

from prunectl.store import layout

KEY = "ab" + "0" * 62


def test_names_are_pinned() -> None:
    """A change here makes every store unreadable: it needs another LAYOUT."""
    assert layout.LAYOUT == 1
    assert layout.MARKER == "prunectl-store.json"
    folders = [layout.OBJECTS, layout.FAILURES, layout.SNAPSHOTS, layout.LOCKS, layout.SCRATCH, layout.ASIDE]
    assert folders == ["objects", "failures", "snapshots", "locks", "scratch", "aside"]
    assert layout.MANIFEST == "manifest.json"


def test_artefacts_are_spread_over_folders_by_two_hex_digits() -> None:
    assert layout.sharded(Path("/s"), layout.OBJECTS, KEY) == Path("/s/objects/ab") / KEY
    assert layout.sharded(Path("/s"), layout.FAILURES, KEY, ".json") == Path("/s/failures/ab") / f"{KEY}.json"


def test_a_path_as_text_is_the_same_path() -> None:
    assert Path(layout.place(Path("/s"), layout.SNAPSHOTS, KEY)) == layout.sharded(Path("/s"), layout.SNAPSHOTS, KEY)
