"""Combinations that no study can mean, across keys that are right by themselves.

Every rule is a function from sections to slips. A section that is wrong in itself is absent (None), and the
rules that need it are silent, so that what can be said of the others is said at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from prunectl.base.errors import nearest
from prunectl.catalog.slips import Slip
from prunectl.catalog.values import Moment
from prunectl.catalog.wording import Path, listing, meant, path_text, shown
from prunectl.study import combinations
from prunectl.study.arms import Spanned, as_table, names_of, number_of_arms, rewinds, selects, spanned
from prunectl.study.labels import Labels
from prunectl.study.schema import (
    Claim,
    DataSection,
    FinetuneSection,
    ModelSection,
    PruneSection,
    ScheduleSection,
    Study,
    SweepSection,
    TrainSection,
)

MOST_TRIALS = 1_000_000
SAME_SPARSITY = 1e-4
"""Two sparsities nearer than this are meant to be the same (0.488 for 1 − 0.8³)."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The sections of a study that are right in themselves; `prune` and `claim` with None in the gaps."""

    data: DataSection | None
    model: ModelSection | None
    train: TrainSection | None
    sweep: SweepSection | None
    prune: tuple[PruneSection | None, ...]
    claim: tuple[Claim | None, ...]


def parts_of(study: Study) -> Parts:
    """All the sections of a valid study."""
    return Parts(
        data=study.data, model=study.model, train=study.train, sweep=study.sweep, prune=study.prune, claim=study.claim
    )


def slips(parts: Parts, *, length_overridden: bool = False, sweep_overridden: bool = False) -> Iterator[Slip]:
    """Everything that does not go together.

    With a length overridden, milestones may be missed; with the sweep overridden, claims may ask for more than it has.
    """
    if parts.data is not None:
        yield from subset(parts.data)
        yield from shapes(parts.data, parts.model)
    if parts.train is not None:
        yield from recipe(parts.train, None, ("train",), check_length=not length_overridden)
    for place, section in enumerate(parts.prune):
        if section is not None:
            for slip in _arm_table(section, parts, check_length=not length_overridden):
                yield slip.under(("prune", place))
    yield from repeated_arms(parts.prune, parts.train)
    if all(section is not None for section in parts.prune):
        sections = [section for section in parts.prune if section is not None]
        if parts.sweep is not None:
            yield from size(sections, parts.sweep)
        for place, claim in enumerate(parts.claim):
            if claim is not None:
                for slip in claimed(claim, sections, None if sweep_overridden else parts.sweep):
                    yield slip.under(("claim", place))


def _arm_table(section: PruneSection, parts: Parts, *, check_length: bool) -> Iterator[Slip]:
    yield from retraining(section)
    yield from rounds(section, parts.sweep)
    yield from combinations.scopes(section)
    yield from combinations.structures(section, parts.sweep)
    yield from combinations.ablations(section)
    yield from unused(section)
    if parts.train is not None:
        yield from moments(section, parts.train)
        yield from budgets(section, parts.train)
        if section.finetune is not None:
            path: Path = ("finetune",)
            yield from recipe(parts.train, section.finetune, path, check_length=check_length)


def retraining(section: PruneSection) -> Iterator[Slip]:
    """Retraining follows pruning at the end; pruned earlier, a network has its training before it."""
    early = [when for when in section.at if when != "end"]
    for place, kind in enumerate(section.retrain):
        if kind != "none" and early:
            yield Slip(
                path=("retrain", place),
                message=f'{shown(kind)} follows pruning at = "end", not at = {_when(early[0])}',
                hint=f'give {shown(kind)} a [[prune]] table of its own with at = "end"',
            )


def rounds(section: PruneSection, sweep: SweepSection | None) -> Iterator[Slip]:
    """Rounds with retraining prune a trained network; their levels are the sweep's."""
    for place, way in enumerate(section.rounds or ()):
        if not way.retrains:
            continue
        path: Path = ("rounds", place)
        early = [when for when in section.at if when != "end"]
        if early:
            yield Slip(path=path, message=f'{way.name} rounds need at = "end", not at = {_when(early[0])}')
        for still in {"none", "recalibrate"}.intersection(section.retrain):
            hint = "give retrain a value that trains: finetune, weight-rewind or lr-rewind"
            message = f"{way.name} rounds retrain at each level, so not retrain = {shown(still)}"
            yield Slip(path=path, message=message, hint=hint)
        if sweep is not None and sweep.levels is not None:
            for key, message in way.problems(sweep.levels.rate):
                yield Slip(path=(*path, *key), message=message, hint="leave it out: the levels of the sweep are taken")


def _long(finetune: FinetuneSection | None) -> bool:
    return finetune is not None and (finetune.epochs is not None or finetune.steps is not None)


def unused(section: PruneSection) -> Iterator[Slip]:
    """What is said for arms that the table does not have is a slip of the pen."""
    if section.finetune is not None and "finetune" not in section.retrain:
        yield Slip(path=("finetune",), message='no arm here is fine-tuned: retrain has no "finetune"')
    if "rewind_to" in section.model_fields_set and not rewinds(section):
        yield Slip(path=("rewind_to",), message='no arm here is rewound: retrain has no "weight-rewind"')
    if section.budget is not None:
        if not {"finetune", "weight-rewind", "lr-rewind"}.intersection(section.retrain):
            yield Slip(path=("budget",), message="no arm here is retrained, so there is no time to spend on it")
        lengths = {"rewind_to": "rewind_to" in section.model_fields_set, "finetune": _long(section.finetune)}
        for key, given in lengths.items():
            if given:
                message = f"a budget says how long to retrain, and so does {key}; keep one of them"
                yield Slip(path=("budget",), message=message)
    if section.schedule == "restart" and not any(isinstance(when, Moment) for when in section.at):
        message = "no arm here is pruned in mid-training, so there is no schedule to restart"
        yield Slip(path=("schedule",), message=message, hint="restart goes with at = { epoch = N } or { step = N }")


def moments(section: PruneSection, train: TrainSection) -> Iterator[Slip]:
    """Moments lie within the training, as far as both are told in the same unit."""
    for key in ("at", "rewind_to"):
        if key == "rewind_to" and not rewinds(section):
            continue
        for place, when in enumerate(getattr(section, key)):
            if isinstance(when, Moment):
                yield from _moment(when, train, (key, place))


def budgets(section: PruneSection, train: TrainSection) -> Iterator[Slip]:
    """Weights and rates are rewound by no more than the training, as far as both are told in the same unit."""
    if not {"weight-rewind", "lr-rewind"}.intersection(section.retrain):
        return
    for place, budget in enumerate(section.budget or ()):
        for unit in ("epochs", "steps"):
            asked, length = getattr(budget, unit, None), getattr(train, unit)
            if asked is not None and length is not None and asked > length:
                message = f"{asked} {unit} are more than the training has, {length}; rewinding goes no further back"
                yield Slip(path=("budget", place, unit), message=message)


def _moment(when: Moment, train: TrainSection, path: Path) -> Iterator[Slip]:
    for unit, moment, length in (("epoch", when.epoch, train.epochs), ("step", when.step, train.steps)):
        if moment is not None and length is not None and moment > length:
            message = f"{unit} {moment} is beyond the end of the training, which has {length} {unit}s"
            yield Slip(path=(*path, unit), message=message)


def recipe(train: TrainSection, finetune: FinetuneSection | None, path: Path, *, check_length: bool) -> Iterator[Slip]:
    """Nesterov's momentum has momentum; milestones and warmup lie within the training."""
    told: TrainSection | FinetuneSection = train if finetune is None else finetune
    if told.nesterov or (told.nesterov is None and train.nesterov):
        momentum = train.momentum if told.momentum is None else told.momentum
        optimizer = told.optimizer or train.optimizer
        key = "nesterov" if told.nesterov else "momentum" if told.momentum is not None else "optimizer"
        if optimizer != "sgd":
            yield Slip(path=(*path, key), message=f'nesterov is for optimizer = "sgd", not {shown(optimizer)}')
        elif momentum == 0:
            yield Slip(path=(*path, key), message="nesterov needs a momentum above 0")
    if check_length:
        own_length = told.epochs or told.steps
        unit = told if own_length else train
        length = unit.epochs or unit.steps
        if length is not None:
            yield from _schedule(told.schedule, length, (*path, "schedule"))


def _schedule(schedule: ScheduleSection, length: int, path: Path) -> Iterator[Slip]:
    for place, milestone in enumerate(schedule.milestones):
        if milestone >= length:
            message = f"milestone {milestone} is not before the end of the training at {length}"
            yield Slip(path=(*path, "milestones", place), message=message)
    if schedule.warmup >= length:
        message = f"a warmup of {schedule.warmup} leaves nothing of a training of {length}"
        yield Slip(path=(*path, "warmup"), message=message)


def subset(data: DataSection) -> Iterator[Slip]:
    """A subset is no larger than the data set."""
    for key, size_name in (("train_limit", "train_size"), ("test_limit", "test_size")):
        limit, there = getattr(data, key), getattr(data.dataset, size_name, None)
        if limit is not None and there is not None and limit > there:
            message = f"{limit} is more than the {there} images that {data.dataset.name} has"
            yield Slip(path=("data", key), message=message)


def shapes(data: DataSection, model: ModelSection | None) -> Iterator[Slip]:
    """The network and the augmentations can take the images: what they cannot, they say in `refusal`."""
    shape = getattr(data.dataset, "shape", None)
    yield from _on_reading(data)
    takers: list[tuple[Path, Any]] = [(("data", "augment", place), each) for place, each in enumerate(data.augment)]
    takers += [(("model", "name"), model.model)] if model is not None else []
    for path, taker in takers:
        refusal = getattr(taker, "refusal", None)
        if shape is None or refusal is None:
            continue
        if reason := refusal(shape):
            yield Slip(
                path=path, message=reason, hint=f"{data.dataset.name} has images of {shape[1]}x{shape[2]} pixels"
            )


def _on_reading(data: DataSection) -> Iterator[Slip]:
    """What cuts images as they are read needs pictures in files, and comes before what changes them afterwards."""
    for place, each in enumerate(data.augment):
        if not getattr(each, "on_reading", False):
            continue
        path = ("data", "augment", place)
        if not getattr(data.dataset, "in_files", False):
            message = f"{each.name} cuts pictures as they are read from files; {data.dataset.name} has none"
            yield Slip(path=path, message=message, hint="pad-crop and flip work on every data set")
        elif place > 0:
            yield Slip(path=path, message=f"{each.name} cuts pictures as they are read: it must come first")


def repeated_arms(sections: Sequence[PruneSection | None], train: TrainSection | None) -> Iterator[Slip]:
    """No arm stands in two tables, nor do two arms of one label: their rows could not be told apart."""
    labels = Labels.of([section for section in sections if section is not None], train)
    earlier: list[tuple[int, Spanned]] = []
    for place, section in enumerate(sections):
        if section is None:
            continue
        arms = spanned(section, labels)
        for name in _repeated(arms):
            hint = "keep one, or let their numbers differ in the first six digits"
            yield Slip(path=("prune", place), message=f"two arms are called {name}", hint=hint)
        for before, others in earlier:
            shared = _shared_arm(others, arms)
            if shared is not None:
                message = f"the arm {shared} is in prune[{before}] already"
                yield Slip(path=("prune", place), message=message, hint="take it out of one of the two tables")
                break
        earlier.append((place, arms))


def _repeated(arms: Spanned) -> Iterator[str]:
    """What two arms of one table are called: numbers that differ by too little have one label."""
    for called in arms:
        yield from dict.fromkeys(_said(name) for place, name in enumerate(called) if name in called[:place])


def _said(name: Any) -> str:
    return name if isinstance(name, str) else ", ".join(filter(None, name))


def _shared_arm(ones: Spanned, others: Spanned) -> str | None:
    """An arm of both tables, in words: being products, they share one if all their lists meet."""
    met: list[Any] = []
    for left, right in zip(ones, others, strict=True):
        common = next((value for value in left if value in right), None)
        if common is None:
            return None
        met.append(common)
    (criterion, rounds), *rest, ablation, retrain = met
    return ", ".join(filter(None, [criterion, *rest, rounds, ablation, retrain]))


def size(sections: Iterable[PruneSection], sweep: SweepSection) -> Iterator[Slip]:
    """A study can be planned on one machine."""
    trials = sum(map(number_of_arms, sections)) * len(sweep.asked) * len(sweep.seeds)
    if trials > MOST_TRIALS:
        message = f"the study asks for {trials:,} trials; at most {MOST_TRIALS:,} can be planned"
        yield Slip(path=("prune",), message=message, hint="split it, or shorten its lists")


def claimed(claim: Claim, sections: list[PruneSection], sweep: SweepSection | None) -> Iterator[Slip]:
    """Both selectors of a claim mean arms of the study, and its sparsities are the study's."""
    for side in ("better", "than"):
        selector = getattr(claim, side)
        alone = [key for key in selector if not any(selects({key: selector[key]}, each) for each in sections)]
        for key in alone:
            there = names_of(sections, key)
            wanted = selector[key]
            close = nearest(wanted, there) if isinstance(wanted, str) else None
            others = f"; they have {listing(there)}" if there else ""
            message = f"no arm of the study has {key} = {_wanted(wanted)}{others}"
            yield Slip(path=(side, key), message=message, hint=meant(close))
        if not alone and not any(selects(selector, each) for each in sections):
            both = " and ".join(f"{key} = {_wanted(value)}" for key, value in selector.items())
            yield Slip(path=(side,), message=f"no arm of the study has {both} together")
    for place, sparsity in enumerate(claim.at_sparsity or ()):
        asked = sweep.asked if sweep is not None else (sparsity,)
        if not any(math.isclose(sparsity, each, abs_tol=SAME_SPARSITY, rel_tol=0) for each in asked):
            message = f"{sparsity} is no sparsity of the sweep: {', '.join(f'{each:.4g}' for each in asked)}"
            yield Slip(path=("at_sparsity", place), message=message)


def _wanted(value: object) -> str:
    if isinstance(value, dict) and len(value) <= 3:
        return "{ " + ", ".join(f"{path_text((key,))} = {shown(item)}" for key, item in value.items()) + " }"
    return shown(value)


def _when(when: object) -> str:
    return as_table(when) if isinstance(when, Moment) else shown(when)
