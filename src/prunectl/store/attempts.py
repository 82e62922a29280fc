"""What a store keeps of a step besides its artefact: its lock, its snapshots, why it failed, and what it printed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from prunectl.store import layout
from prunectl.store.atomic import ODD, read_document, write_whole
from prunectl.store.directory import StoreDirectory
from prunectl.store.disk import store_error
from prunectl.store.locks import claims_in, locked


class Attempts(StoreDirectory):
    """The attempts at steps, by key."""

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of the process that computes an artefact; the system frees it if that process is killed.

        Raises `locks.HeldError`, a filelock.Timeout, if another process holds it, or another machine has a claim.
        """
        folder = self.root / layout.LOCKS
        path = folder / f"{key}.lock"
        with contextlib.ExitStack() as stack:
            with self._guarded("written"):
                self._make_directory(folder)
                self._require_file(path)
                stack.enter_context(locked(path, key, claims_in(folder)))
            yield

    def forget_lock(self, key: str) -> None:
        """Remove the lock's file, once its artefact is stored. One that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            (self.root / layout.LOCKS / f"{key}.lock").unlink(missing_ok=True)

    def under_way(self, key: str) -> bool:
        """Whether a training has left a snapshot to resume from."""
        return os.path.exists(layout.place(self.root, layout.SNAPSHOTS, key))  # noqa: PTH110

    def snapshots(self, key: str) -> Path:
        """The folder in which the training of `key` keeps its snapshots."""
        return layout.sharded(self.root, layout.SNAPSHOTS, key)

    def failure(self, key: str) -> dict[str, str] | None:
        """The failure recorded for a step, or None: its `kind` ("method" or "crash"), `reason` and `detail`.

        A damaged record is set aside, and the step is tried again.
        """
        place = layout.place(self.root, layout.FAILURES, key, ".json")
        if not os.path.exists(place):  # noqa: PTH110  # called for every step of a plan
            return None
        path = Path(place)
        try:
            failure = json.loads(read_document(path))
        except (ValueError, RecursionError):
            failure = None
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in ODD:
                raise store_error(error, self.root, "read") from error
            failure = None
        if is_failure(failure):
            return dict(failure)
        self._lay_aside(path, "it is no record of a failure")
        return None

    def record_failure(self, key: str, kind: str, reason: str, detail: str) -> None:
        """Record why a step failed."""
        path = layout.sharded(self.root, layout.FAILURES, key, ".json")
        record = {"kind": kind, "reason": reason, "detail": detail}
        with self._guarded("written"):
            self._make_directory(path.parent)
            self._require_file(path)
            write_whole(path, json.dumps(record, indent=1).encode() + b"\n")

    def forget_failure(self, key: str) -> None:
        """Remove the failure of a step that has succeeded since. One that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            layout.sharded(self.root, layout.FAILURES, key, ".json").unlink(missing_ok=True)

    def keep_log(self, key: str, printed: bytes) -> None:
        """Keep what a step printed, in place of what it printed before; if it printed nothing, there is no log."""
        path = self.log(key)
        if not printed:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return
        with self._guarded("written"):
            self._make_directory(path.parent)
            write_whole(path, printed)

    def log(self, key: str) -> Path:
        """Where what a step printed is kept. There is no file if it printed nothing."""
        return layout.sharded(self.root, layout.LOGS, key, ".log")


def is_failure(value: object) -> bool:
    """Whether a JSON value is a record of a failure."""
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("kind", "reason", "detail"))
