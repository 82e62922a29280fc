"""What the store holds of a plan: its artefacts, each read and verified once."""

from __future__ import annotations

import json
from typing import Any

from prunectl.plan.graph import Plan, Trial
from prunectl.plan.steps import Key, Prune, Train, parents
from prunectl.store import layout
from prunectl.store.local import LocalStore
from prunectl.store.manifest import Manifest


class Artefacts:
    """A plan's artefacts, read and verified once each. Raises DamagedError for one that is not sound."""

    def __init__(self, plan: Plan, store: LocalStore) -> None:
        self.plan, self.store = plan, store
        store.refresh()
        self._manifests: dict[Key, Manifest | None] = {}
        self._documents: dict[tuple[Key, str], Any] = {}
        self._merely_missing: set[Key] = set()  # nothing that these rest on has failed

    def read_ahead(self) -> None:
        """Before everything is read: a store that is not a directory reads many small files at once."""
        self.store.prefetch(self.plan.steps, layout.METRICS, layout.PROGRESS, layout.INFO)

    def manifest(self, key: Key) -> Manifest | None:
        """The manifest of an artefact, or None if it is not there."""
        if key not in self._manifests:
            try:
                self._manifests[key] = self.store.manifest(key)
            except KeyError:
                self._manifests[key] = None
        return self._manifests[key]

    def document(self, key: Key, name: str) -> Any:
        """A JSON file of an artefact, or None if the artefact is not there."""
        if (key, name) not in self._documents:
            data = self.content(key, name)
            self._documents[key, name] = None if data is None else json.loads(data)
        return self._documents[key, name]

    def content(self, key: Key, name: str) -> bytes | None:
        """The bytes of a file of an artefact, or None if the artefact is not there."""
        manifest = self.manifest(key)
        if manifest is None:
            return None
        try:
            return self.store.read(key, name, manifest)
        except KeyError:
            if self.store.has(key):
                raise
            self._manifests[key] = None  # deleted since its manifest was read
            return None

    def metrics(self, trial: Trial) -> dict[str, Any] | None:
        """What was measured of a trial, or None if nothing was; plug-ins' metrics as far as they were measured."""
        document: dict[str, Any] | None = self.document(trial.measure, layout.METRICS)
        if document is None:
            return None
        apart = (self.document(key, layout.METRICS) or {} for key in trial.measured_apart)
        return {name: value for one in (*apart, document) for name, value in one.items()}

    def wall_s(self, key: Key) -> float:
        """Seconds that one artefact took."""
        found = self.manifest(key)
        return found.made.wall_s if found else 0.0

    def train_s(self, state: Key) -> float | None:
        """Seconds of the training that ended in a state, all the pieces of it; None if it was not trained."""
        return self.whole_s(state) if isinstance(self.plan.steps[state], Train) else None

    def whole_s(self, key: Key) -> float:
        """Seconds that one artefact took, with all the pieces of its training before it."""
        pieces = [key]
        while earlier := self._taken_up_from(pieces[-1]):
            pieces.append(earlier)
        return sum(self.wall_s(piece) for piece in pieces)

    def _taken_up_from(self, key: Key) -> Key | None:
        """The earlier state that a training went on from: from its manifest, else the latest made before it."""
        found = self.manifest(key)
        if found is not None and found.made.resume is not None:
            return Key(found.made.resume) if found.made.resume else None
        earlier = self.plan.follows.get(key)
        while earlier is not None and not self._was_there(earlier, found):
            earlier = self.plan.follows.get(earlier)
        return earlier

    def _was_there(self, earlier: Key, later: Manifest | None) -> bool:
        """Whether an earlier state was made when a later one was; both moments are UTC in one format."""
        made = self.manifest(earlier)
        return made is not None and later is not None and made.made.created <= later.made.created

    def score_s(self, trial: Trial) -> float | None:
        """Seconds of scoring behind a trial's mask; None where they are part of its training."""
        if trial.plain_mask is None:
            return None
        step = self.plan.steps[trial.plain_mask]
        info = self.document(step.scores if isinstance(step, Prune) else trial.plain_mask, layout.INFO)
        return float(info["score_s"]) if info and "score_s" in info else None

    def tied(self, trial: Trial) -> int | None:
        """How many scores equal the one at the cut; None without a mask that is made at once."""
        info = self.document(trial.plain_mask, layout.INFO) if trial.plain_mask else None
        return int(info["tied"]) if info and "tied" in info else None

    def why_missing(self, key: Key) -> tuple[str, str | None]:
        """("failed", reason) if the step or one that it rests on has failed, else ("missing", None)."""
        seen, stack = {key}, [key]
        while stack:
            current = stack.pop()
            if current in self._merely_missing or self.store.has(current):
                continue
            if (failure := self.store.failure(current)) is not None:
                return "failed", failure["reason"]
            news = [parent for parent in parents(self.plan.steps[current]).values() if parent not in seen]
            seen.update(news)
            stack.extend(news)
        self._merely_missing |= seen
        return "missing", None
