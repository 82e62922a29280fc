"""On which hardware artefacts were made: noted once for each, so that a plan does not read every manifest again.

The notes are a copy of what verified manifests hold. They are used to warn people, never to make anything. A note is
valid while the manifest has the size and the time of its last change that it had; without a valid one the manifest is
read. Notes that were damaged, lost, or cannot be kept cost time only.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.atomic import read_file, write_whole
from prunectl.store.hardware import HardwareClass

Note = tuple[int, int, int]
"""The place of a class in the list of classes; the time of the manifest's last change in ns; its size in bytes."""


class KnownHardware:
    """The notes of a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._classes: dict[HardwareClass, int] = {}
        self._notes: dict[str, Note] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
            self._load(read_file(root / layout.HARDWARE).decode())

    def _load(self, text: str) -> None:
        stated, _, content = text.partition("\n")
        if digest(content) != stated:
            return
        kept = json.loads(content)
        self._classes = {
            HardwareClass(device=device, threads=threads): place
            for place, (device, threads) in enumerate(kept["classes"])
        }
        self._notes = {key: (place, changed_ns, size) for key, (place, changed_ns, size) in kept["notes"].items()}

    def of(self, keys: Iterable[str], read: Callable[[str], HardwareClass]) -> list[HardwareClass]:
        """The classes of artefacts; a key without artefact is left out.

        `read` gives the class that a manifest names. Raises what it raises, but KeyError.
        """
        classes, made_on, news = list(self._classes), [], 0
        for key in keys:
            note, stamp = self._notes.get(key), self._stamp(key)
            if note is not None and note[1:] == stamp:
                made_on.append(classes[note[0]])
                continue
            with contextlib.suppress(KeyError):  # removed in the meantime
                made_on.append(of := read(key))
                news += self._note(key, of, stamp)
        if news:
            self._keep()
        return made_on

    def _note(self, key: str, made_on: HardwareClass, stamp: tuple[int, int] | None) -> bool:
        """Note a class that was read. Returns False for a manifest that nobody can look at any more."""
        if stamp is not None:
            self._notes[key] = (self._classes.setdefault(made_on, len(self._classes)), *stamp)
        return stamp is not None

    def _stamp(self, key: str) -> tuple[int, int] | None:
        """The time of the last change of a manifest, in ns, and its size in bytes; taken before it is read."""
        try:
            about = os.stat(layout.place(self.root, layout.OBJECTS, key, f"{os.sep}{layout.MANIFEST}"))  # noqa: PTH116
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size

    def _keep(self) -> None:
        """Write the notes, those of deleted artefacts left out; not in a store that cannot be written."""
        notes = {key: note for key, note in self._notes.items() if self._stamp(key) == note[1:]}
        classes = [[of.device, of.threads] for of in self._classes]
        content = json.dumps({"classes": classes, "notes": notes}, separators=(",", ":"))
        with contextlib.suppress(OSError):
            write_whole(self.root / layout.HARDWARE, f"{digest(content)}\n{content}".encode())
