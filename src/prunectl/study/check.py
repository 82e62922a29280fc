"""Combinations that no study can mean, across keys that are right by themselves.

Every rule is a function from sections to problems. A section that is wrong in itself is absent (None), and the
rules that need it are silent, so that everything about the others is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunectl.base.cells import cell
from prunectl.base.errors import Path, Problem
from prunectl.base.text import did_you_mean
from prunectl.catalog.entry import Entry, written
from prunectl.catalog.retraining import Retraining
from prunectl.catalog.schedule import Schedule
from prunectl.catalog.values import FlopsBudget, Length, Moment
from prunectl.catalog.wording import listing, shown
from prunectl.catalog.written_keys import written_keys
from prunectl.study import combinations, initial, pruned_in_training
from prunectl.study.arms import Arm, Init, expand, number_of_arms
from prunectl.study.claimed import Index, claimed, margin, swept
from prunectl.study.data_rules import measured, shapes, subset
from prunectl.study.data_section import DataSection
from prunectl.study.repeated import repeated_arms, repeated_labels
from prunectl.study.reported import ReportSection
from prunectl.study.schema import (
    Claim,
    ControlSection,
    ModelSection,
    PruneSection,
    Study,
    SweepSection,
    TrainSection,
)

MOST_TRIALS = 1_000_000
MOST_ARMS = 20_000


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The sections of a study that are right in themselves; `prune` and `claim` with None in the gaps."""

    data: DataSection | None
    model: ModelSection | None
    train: TrainSection | None
    sweep: SweepSection | None
    prune: tuple[PruneSection | None, ...]
    control: tuple[ControlSection | None, ...]
    claim: tuple[Claim | None, ...]
    report: ReportSection | None = None


def parts_of(study: Study) -> Parts:
    """All the sections of a valid study."""
    return Parts(
        data=study.data,
        model=study.model,
        train=study.train,
        sweep=study.sweep,
        prune=study.prune,
        control=study.control,
        claim=study.claim,
        report=study.report,
    )


def problems(parts: Parts, *, length_overridden: bool = False, sweep_overridden: bool = False) -> Iterator[Problem]:
    """Everything that does not go together.

    With a length overridden, milestones may be missed; with the sweep overridden, claims may ask for more than it has.
    """
    if parts.data is not None:
        yield from subset(parts.data)
        yield from shapes(parts.data, parts.model)
    if parts.train is not None and not length_overridden:
        yield from schedule(parts.train.schedule, parts.train.epochs or parts.train.steps, ("train", "schedule"))
    if parts.model is not None:
        yield from initial.bn_init(parts.model, parts.prune)
        yield from initial.pretrained(parts.model, parts.prune)
    for place, section in enumerate(parts.prune):
        if section is not None:
            for problem in _arm_table(section, parts, check_length=not length_overridden):
                yield problem.under(("prune", place))
    for place, control in enumerate(parts.control):
        if control is not None:
            for problem in _control(control, parts, check_length=not length_overridden):
                yield problem.under(("control", place))
    for place, claim in enumerate(parts.claim):
        if claim is not None:
            about = [*margin(claim), *swept(claim), *(measured(claim, parts.data) if parts.data is not None else ())]
            yield from (problem.under(("claim", place)) for problem in about)
    if parts.sweep is not None and parts.sweep.looks and not parts.claim:
        yield _nothing_to_settle()
    if parts.sweep is not None and all(section is not None for section in parts.prune):
        yield from size([section for section in parts.prune if section is not None], parts.sweep)
    if sum(number_of_arms(section) for section in parts.prune if section is not None) <= MOST_ARMS:
        yield from _about_arms(parts, None if sweep_overridden else parts.sweep)


def _nothing_to_settle() -> Problem:
    message = 'until = "settled" needs a claim to settle, and the study has no [[claim]] table'
    hint = "add a [[claim]], or give a count: seeds = 3"
    return Problem(path=("sweep", "seeds", "until"), message=message, hint=hint)


def _arm_table(section: PruneSection, parts: Parts, *, check_length: bool) -> Iterator[Problem]:
    yield from retraining(section)
    yield from rounds(section, parts.sweep)
    yield from pruned_in_training.during(section, parts.sweep)
    yield from combinations.criteria(section)
    yield from combinations.scopes(section)
    yield from combinations.structures(section, parts.sweep)
    yield from combinations.ablations(section)
    yield from initial.redrawn(section, parts.model)
    yield from combinations.redrawn(section, parts.train)
    yield from budgets(section, parts.train)
    if parts.train is not None:
        yield from moments(section, parts.train)
        yield from retraining_optimizers(section, parts.train)
        if check_length:
            yield from retraining_schedules(section, parts.train)


def _control(control: ControlSection, parts: Parts, *, check_length: bool) -> Iterator[Problem]:
    """A control is trained, and what holds for retraining pruned networks holds for it."""
    for place, retrain in enumerate(control.retrain):
        if not retrain.trains:
            hint = "the dense network as it is has rows already: those of sparsity 0"
            yield Problem(path=("retrain", place), message=f"{shown(retrain.name)} trains nothing", hint=hint)
    section = control.arms()
    yield from budgets(section, parts.train)
    if parts.train is not None:
        yield from moments(section, parts.train)
        yield from retraining_optimizers(section, parts.train)
        if check_length:
            yield from retraining_schedules(section, parts.train)


def _about_arms(parts: Parts, sweep: SweepSection | None) -> Iterator[Problem]:
    init: Init = parts.model.init if parts.model is not None else "kaiming-normal"
    tables = [None if section is None else list(expand([section], init)) for section in parts.prune]
    controls = [None if section is None else list(expand([section.arms()], init)) for section in parts.control]
    yield from repeated_arms(tables, "prune")
    yield from repeated_arms(controls, "control")
    yield from repeated_labels(tables)
    if parts.report is not None and None not in tables:
        yield from collapse(parts.report, [arm for table in tables for arm in table or ()])
        yield from judged(parts.report, [arm for table in tables for arm in table or ()])
    tables += controls
    if any(table is None for table in tables) or not any(parts.claim):
        return
    arms = Index([arm for table in tables for arm in table or ()])
    for place, claim in enumerate(parts.claim):
        if claim is not None:
            for problem in claimed(claim, arms, sweep):
                yield problem.under(("claim", place))


def collapse(report: ReportSection, arms: Sequence[Arm]) -> Iterator[Problem]:
    """A critical compression is that of single weights, pruned without training in between."""
    if report.collapse and arms and not any(arm.collapses for arm in arms):
        yield Problem(
            path=("report", "collapse"),
            message="no arm has a critical compression: that is of single weights, pruned without training in between",
            hint='leave it out, or add an arm with structure = "weights" and one-shot, linear or exponential rounds',
        )


def judged(report: ReportSection, arms: Sequence[Arm]) -> Iterator[Problem]:
    """The criterion that the report judges is one of the study's."""
    labels = list(dict.fromkeys(arm.criterion.label() for arm in arms))
    if report.judged and arms and report.judged not in labels:
        yield Problem(
            path=("report", "judged"),
            message=f"no arm of the study has the criterion {shown(report.judged)}; they have {listing(labels)}",
            hint=did_you_mean(report.judged, labels),
        )


def retraining(section: PruneSection) -> Iterator[Problem]:
    """Retraining follows pruning at the end; pruned earlier, a network has its training before it."""
    if section.rounds and all(way.during for way in section.rounds):
        return  # pruned in the training: see `pruned_in_training`
    early = [when for when in section.at if when != "end"]
    for place, retrain in enumerate(section.retrain):
        if early and not retrain.early:
            name = shown(retrain.name)
            yield Problem(
                path=("retrain", place),
                message=f'{name} follows pruning at = "end", not at = {_when(early[0])}',
                hint=f'give {name} a [[prune]] table of its own with at = "end"',
            )


def rounds(section: PruneSection, sweep: SweepSection | None) -> Iterator[Problem]:
    """Rounds that retrain prune a trained network and train it; their levels are the sweep's."""
    for place, way in enumerate(section.rounds or ()):
        if not way.retrains:
            continue
        path: Path = ("rounds", place)
        early = [when for when in section.at if when != "end"]
        if early:
            yield Problem(path=path, message=f'{way.name} rounds need at = "end", not at = {_when(early[0])}')
        for still in (retrain for retrain in section.retrain if not retrain.trains):
            hint = "give retrain a value that trains: finetune, weight-rewind or lr-rewind"
            message = f"{way.name} rounds retrain at each level, so not retrain = {shown(still.name)}"
            yield Problem(path=path, message=message, hint=hint)
        if sweep is not None and sweep.levels is not None:
            for key, message in way.problems(sweep.levels.rate):
                yield Problem(
                    path=(*path, *key), message=message, hint="leave it out: the levels of the sweep are taken"
                )


def budgets(section: PruneSection, train: TrainSection | None) -> Iterator[Problem]:
    """A budget is for a retraining that has none of its own; nothing goes back further than the training."""
    if section.budget is None:
        return
    if not any(retrain.budgeted for retrain in section.retrain):
        yield Problem(path=("budget",), message="no arm here is retrained, so there is no time to spend on it")
    for place, retrain in enumerate(section.retrain):
        if key := retrain.own_length():
            message = f"{key} sets the length of the retraining, and so does budget; keep one of them"
            yield Problem(path=("retrain", place, key), message=message)
    yield from _longer(section)
    redraws = all(ablation.changes == "weights" for ablation in section.ablation)
    if train is None or redraws or not any(retrain.within_recipe for retrain in section.retrain):
        return
    for place, budget in enumerate(section.budget):
        for unit in ("epochs", "steps"):
            asked = getattr(budget, unit) if isinstance(budget, Length) else None
            length = getattr(train, unit)
            if asked is not None and length is not None and asked > length:
                message = f"{asked} {unit} are more than the training has, {length}; rewinding goes no further back"
                yield Problem(path=("budget", place, unit), message=message)


def _longer(section: PruneSection) -> Iterator[Problem]:
    """More than the whole recipe is for what can be stretched: rate rewinding, and weights that are drawn again."""
    redraws = all(ablation.changes == "weights" for ablation in section.ablation)
    if redraws and not any(way.retrains for way in section.rounds or ()):
        return
    short = [retrain for retrain in section.retrain if retrain.budgeted and not retrain.stretches]
    for place, budget in enumerate(section.budget or ()):
        beyond = isinstance(budget, FlopsBudget) or (isinstance(budget, float) and budget > 1)
        if beyond and short:
            what = "a budget in FLOPs" if isinstance(budget, FlopsBudget) else f"{budget:g} times the recipe"
            message = f"{what} is not for {shown(short[0].name)}, whose schedule cannot be stretched"
            hint = 'give it a [[prune]] table of its own with retrain = "lr-rewind", or with ablation = "reinit"'
            yield Problem(path=("budget", place), message=message, hint=hint)


def moments(section: PruneSection, train: TrainSection) -> Iterator[Problem]:
    """Moments lie within the training, as far as both are given in the same unit."""
    for place, when in enumerate(section.at):
        yield from _moment(when, train, ("at", place))
    entries: list[tuple[str, Sequence[Entry]]] = [("retrain", section.retrain), ("rounds", section.rounds or ())]
    for column, chosen in entries:
        for place, entry in enumerate(chosen):
            for key, name in written_keys(type(entry)).items():
                yield from _moment(getattr(entry, name), train, (column, place, key))


def _moment(when: object, train: TrainSection, path: Path) -> Iterator[Problem]:
    if not isinstance(when, Moment):
        return
    for unit, moment, length in (("epoch", when.epoch, train.epochs), ("step", when.step, train.steps)):
        if moment is not None and length is not None and moment > length:
            message = f"{unit} {moment} is beyond the end of the training, which has {length} {unit}s"
            yield Problem(path=(*path, unit), message=message)


def retraining_optimizers(section: PruneSection, train: TrainSection) -> Iterator[Problem]:
    """An optimizer goes on with its own state only."""
    for place, retrain in enumerate(section.retrain):
        for key, message in retrain.unfit(train.optimizer):
            yield Problem(path=("retrain", place, key), message=message)


def retraining_schedules(section: PruneSection, train: TrainSection) -> Iterator[Problem]:
    """A retraining's own schedule fits into its own length, or the recipe's."""
    for place, retrain in enumerate(section.retrain):
        length = _own_length(retrain) or train.epochs or train.steps
        for key, value in retrain:
            if isinstance(value, Schedule):
                yield from schedule(value, length, ("retrain", place, key))


def _own_length(retrain: Retraining) -> int | None:
    lengths = [value for key, value in retrain if key in ("epochs", "steps") and value is not None]
    return lengths[0] if lengths else None


def schedule(chosen: Schedule, length: int | None, path: Path) -> Iterator[Problem]:
    """Everything that a schedule counts lies within the training."""
    if length is not None:
        yield from (Problem(path=(*path, *place), message=message) for place, message in chosen.problems(length))


def size(sections: Sequence[PruneSection], sweep: SweepSection) -> Iterator[Problem]:
    """A study can be planned on one machine."""
    arms = sum(map(number_of_arms, sections))
    trials = arms * len(sweep.asked) * sweep.most_seeds
    hint = "split it, or shorten its lists"
    if trials > MOST_TRIALS:
        message = f"the study asks for {trials:,} trials; at most {MOST_TRIALS:,} can be planned"
        yield Problem(path=("prune",), message=message, hint=hint)
    elif arms > MOST_ARMS:
        message = f"the study has {arms:,} arms; at most {MOST_ARMS:,} can be planned"
        yield Problem(path=("prune",), message=message, hint=hint)


def _when(when: object) -> str:
    return cell(written(when)) if isinstance(when, Moment) else shown(when)
