"""The plan of a study in numbers: what a run would do, why, what sharing saves, how long it takes."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from prunectl.api.damage import undamaged, warn_in_log
from prunectl.api.machine import Machine, likely_workers
from prunectl.api.make import todo_of
from prunectl.api.runs import seeds_by_arm

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.plan.cost import Past
    from prunectl.plan.explain import Todo
    from prunectl.plan.probe import Measurement, Probed
    from prunectl.plan.steps import Key
    from prunectl.results.foresight import Foresight

MOST_PAST = 2000
"""Maximum number of stored steps that are read to find what changed and how long steps take."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The steps of one kind that a study needs; `why` counts the reasons of those to do."""

    steps: int
    to_do: int
    reused: int
    failed: int
    skipped: int
    why: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan in numbers. Training steps are optimizer steps."""

    study: str
    trials: int
    steps: Mapping[str, Kind]
    changed: list[str]
    """What differs from the most similar steps in the store, one line per kind of step."""
    dense_trainings: int
    training_steps: int
    training_steps_unshared: int
    """What every trial on its own would take."""
    estimate_s: float | None
    """Seconds of one process; None until a step of each kind has been done here: see `unknown`. With `measured`, of all
    kinds but those in `unknown`.
    """
    estimate_bytes: int | None
    """What the artefacts of the steps to do take in the store: their files, manifests and directories, in whole blocks
    of its file system. None until a step of each kind has been done here. With `measured`, of all kinds but those in
    `unknown`.
    """
    workers: str
    """How many workers a run without further options has, and where: '2 workers on cpu'."""
    claims: Sequence[Foresight]
    """What each claim of the study can show."""
    made_on: Mapping[str, int] = field(default_factory=dict)
    """How many of the steps that are reused were made on which class of hardware."""
    mixture: str = ""
    """A sentence, if these are known to differ; else empty."""
    looks: Sequence[int] = ()
    """Where seeds are added until claims are settled: the numbers of seeds after which claims are judged."""
    granted: Mapping[str, int] = field(default_factory=dict)
    """The number of seeds that each arm is granted by now, by label; empty without looks."""
    more: str = ""
    """Whether more seeds may follow, in words; empty without looks."""
    unchecked: str = ""
    """What has not been checked, because only torch or the data can show it, and how to check it; empty where nothing
    is to do.
    """
    unknown: Sequence[str] = ()
    """What is to do that nothing like it was done here, so that time or space is not known."""
    only: Sequence[str] = ()
    """The selectors of the part of the study that is planned; empty for all of it."""
    measured: Sequence[Measurement] = ()
    """What a short measurement has found, on which the estimates rest then."""
    parts_s: Mapping[str, float] = field(default_factory=dict)
    """The summands of `estimate_s`, with `measured`: by its kinds (with those that each is assumed for), the tests
    during these trainings, and the other steps.
    """


def planned(session: Session, *, measure: bool = False, warn: Warn = warn_in_log) -> Planned:
    """What `run` would do. With `measure`, trainings of which it is not known how long they take are timed before.

    Raises FatalError if they are to be and no step can be done here: the data are missing.
    """
    return undamaged(lambda: _planned(session, measure, warn), warn)


def _planned(session: Session, measure: bool, warn: Warn) -> Planned:
    from prunectl.plan.changes import changes
    from prunectl.plan.cost import estimate, training_steps
    from prunectl.plan.probe import Probed, parts
    from prunectl.results.foresight import foresee
    from prunectl.store.hardware import mixture

    plan, todo = session.plan, todo_of(session, "retrain")
    made_on = session.store.hardware(todo.reused)
    past = past_steps(session, todo)
    probed = _probed(session, todo, past, warn) if measure else Probed()
    measured = tuple(probed.measurements)
    expected = estimate(plan, todo.todo, [*past, *probed.past])
    return Planned(
        study=session.study.name,
        trials=len(plan.trials),
        steps=_kinds(session, todo),
        changed=changes(plan, todo.todo, [step.preimage for step in past]),
        dense_trainings=len({trial.baseline for trial in plan.trials}),
        **training_steps(plan),
        estimate_s=expected.known_s if measured else expected.wall_s,
        estimate_bytes=expected.known_bytes if measured else expected.size_bytes,
        unknown=expected.unknown,
        workers=likely_workers(Machine()),
        claims=foresee(session.study, plan),
        made_on={of.label: count for of, count in made_on.items()},
        mixture=mixture(made_on),
        looks=[look.seeds for look in session.study.sweep.looks],
        granted=seeds_by_arm(plan) if session.study.sweep.looks else {},
        more=_more(session, todo) if session.study.sweep.looks else "",
        unchecked=_unchecked(session, used=bool(measured)) if todo.todo else "",
        only=session.selection.only,
        measured=measured,
        parts_s=parts(probed, expected.kinds_s) if measured else {},
    )


def _probed(session: Session, todo: Todo, past: list[Past], warn: Warn) -> Probed:
    """What a short measurement has found."""
    from prunectl.api.probe import probe

    return probe(session, todo, past, warn)


def _unchecked(session: Session, *, used: bool) -> str:
    """In one line: `plan` imports no torch, and reads no data that have a fingerprint, unless a measurement has `used`
    network and data.
    """
    network, data = session.study.model.model.label(), session.study.data.dataset.label()
    command = shlex.join(["prunectl", "plan", str(session.path), *session.selection.options(), "--check"])
    whether = (
        "can be pruned as asked" if used else f"exists and can be pruned as asked, and that the data of {data} are here"
    )
    return (
        f"not checked: that the network {network} {whether}; `{command}` checks this, and `run` does before its first "
        "training"
    )


def _more(session: Session, todo: Todo) -> str:
    """Whether more seeds may follow those granted. The looks that can be taken have been: see `api/granted.py`."""
    most = session.study.sweep.most_seeds
    if not todo.todo:
        return "no more follow: the claims are settled, or more seeds cannot settle them"
    if all(seeds >= most for seeds in seeds_by_arm(session.plan).values()):
        return "no more follow: every arm has the greatest number"
    return f"after these, arms of claims that are open get more, up to {most} seeds"


def _kinds(session: Session, todo: Todo) -> dict[str, Kind]:
    plan = session.plan
    needed = plan.closure(plan.targets("retrain"))
    by_kind: dict[str, list[Key]] = {}
    for key, step in plan.steps.items():
        if key in needed:
            by_kind.setdefault(step.kind, []).append(key)
    missing = {*todo.todo, *todo.failed, *todo.skipped}
    return {kind: _kind(session, todo, keys, missing) for kind, keys in by_kind.items()}


def _kind(session: Session, todo: Todo, keys: list[Key], missing: set[Key]) -> Kind:
    """`missing` are the steps of which it is known that the store has none: it need not be asked again."""
    reasons = Counter(todo.todo[key].value for key in keys if key in todo.todo)
    return Kind(
        steps=len(keys),
        to_do=reasons.total(),
        reused=sum(key in todo.reused or (key not in missing and session.store.has(key)) for key in keys),
        failed=sum(key in todo.failed for key in keys),
        skipped=sum(key in todo.skipped for key in keys),
        why=dict(reasons),
    )


def past_steps(session: Session, todo: Todo) -> list[Past]:
    """Steps in the store, for comparison; none are read if nothing is to do."""
    from prunectl.plan.cost import Past
    from prunectl.store.local import DamagedError

    past: list[Past] = []
    keys = list(islice(session.store.keys(), MOST_PAST)) if todo.todo else []
    session.store.prefetch(keys)
    block_bytes = session.store.block_bytes
    for key in keys:
        try:
            manifest = session.store.manifest(key)
        except (DamagedError, KeyError):
            continue
        made, size_bytes = manifest.made, manifest.stored_bytes(block_bytes) if manifest.sizes else None
        past.append(Past(preimage=manifest.preimage, wall_s=made.wall_s, resume=made.resume, size_bytes=size_bytes))
    return past
