"""`prunectl plan`: what a run would do, why, and what sharing saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.base.text import and_list, plural, seconds, shortened, size, visible
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, Selected, StudyFile, options

if TYPE_CHECKING:
    from prunectl.api.plan import Planned
    from prunectl.api.session import Session
    from prunectl.results.foresight import AtLook, Foresight

CLAIM = 44
"""Width of the text of a claim."""
MOST_KINDS = 6
"""Maximum number of kinds of steps that a line names."""
NO_PAIRS = "settles nothing: there are no two arms to compare"
NOT_ASKED = "not asked: the selection leaves no trials for it"

Check = Annotated[
    bool,
    typer.Option("--check", help="Only check the study: build the network, read the data, match names of layers."),
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure",
        help="Time a few training steps and tests first, where it is not known how long they take here. "
        "Nothing of it is kept.",
    ),
]


@options
def plan(
    selected: Selected,
    study: StudyFile = None,
    check: Check = False,
    measure: Measure = False,
    json_: Json = False,
) -> None:
    """Show what `run` would do, why, and how long it takes.

    Steps by kind, reused or to do and why, what sharing saves, time and disk space.
    """
    if check and measure:
        raise PrunectlError(
            "--check only checks the study, and shows no time that --measure would be for",
            hint="run `prunectl plan` twice, with one of them each time",
        )
    session = selected.open(study)
    if check:
        _check(session, json_)
        return
    from prunectl.api.plan import planned
    from prunectl.execute.driver import FatalError

    try:
        _answer(planned(session, measure=measure, warn=say), json_)
    except FatalError:  # no step can be done here, so nothing can be measured: the plan is known all the same
        _answer(planned(session, warn=say), json_)
        raise


def _answer(found: Planned, json_: bool) -> None:
    if json_:
        answer_json(asdict(found))
    else:
        for line in lines(found):
            answer(line)


def _check(session: Session, json_: bool) -> None:
    """The answer of --check. Exits with FAILED if not everything could be checked."""
    from prunectl.api.check import check

    unfinished = check(session).unfinished
    if json_:
        answer_json({"study": session.study.name, "problems": [], "unfinished": unfinished})
    else:
        answer(f"{session.path}: no problems found" + (f", but {unfinished}" if unfinished else ""))
    if unfinished:
        say("`run` goes on without the rest of the check; what is wrong fails in its step: a row with the reason")
        raise typer.Exit(FAILED)


def lines(planned: Planned) -> list[str]:
    """The plan for people."""
    out = [f"{planned.study}: {plural(planned.trials, 'trial')}", ""]
    out.append(f"{'step':<14}{'planned':>9}{'reused':>9}{'to do':>9}   why")
    for name, kind in planned.steps.items():
        why = [f"{count:,} {reason}" for reason, count in kind.why.items()]
        why += [
            f"{count:,} {ending}" for ending, count in (("failed", kind.failed), ("skipped", kind.skipped)) if count
        ]
        out.append(f"{name:<14}{kind.steps:>9,}{kind.reused:>9,}{kind.to_do:>9,}   {'; '.join(why)}".rstrip())
    out += [f"  {change}" for change in planned.changed]
    saved = planned.training_steps_unshared - planned.training_steps
    share = saved / planned.training_steps_unshared if planned.training_steps_unshared else 0.0
    out += [
        "",
        f"dense trainings: {planned.dense_trainings:,}, one per seed; training steps: {planned.training_steps:,} "
        f"instead of {planned.training_steps_unshared:,} without sharing ({share:.0%} saved)",
        _time(planned),
        _space(planned),
        *measured(planned),
    ]
    out.append(f"where: {planned.workers}, unless `run` is given other --jobs, --device or --executor")
    out += [planned.unchecked] if planned.unchecked else []
    out += added_seeds(planned)
    out += claims(planned.claims, NOT_ASKED if planned.only else NO_PAIRS)
    return [*out, planned.mixture] if planned.mixture else out


def _time(planned: Planned) -> str:
    if planned.estimate_s is None:
        return f"estimated time: {_unknown(planned)}"
    if not any(kind.to_do for kind in planned.steps.values()):
        return "nothing is left to do"
    return f"estimated time: {seconds(planned.estimate_s)} with one process{_short(planned)}"


def _space(planned: Planned) -> str:
    if planned.estimate_bytes is None:
        return f"estimated disk space: {_unknown(planned)}"
    return f"estimated disk space: {size(planned.estimate_bytes)}{_short(planned)}"


def _short(planned: Planned) -> str:
    """What an estimate comes from, unless it is steps in the store alone."""
    return ", from a short measurement" if planned.measured else ""


def _unknown(planned: Planned) -> str:
    """Why there is no estimate: which kinds of steps are missing."""
    kinds = f": {_kinds(planned.unknown)}" if planned.unknown else ""
    return f"unknown until a step of each kind has been done here{kinds}"


def _kinds(names: Sequence[str]) -> str:
    """Kinds of steps, at most MOST_KINDS of them by name."""
    shown = list(names[:MOST_KINDS])
    if len(names) > MOST_KINDS:
        shown.append(f"{len(names) - MOST_KINDS:,} more")
    return visible(and_list(shown))


def measured(planned: Planned) -> list[str]:
    """A line for each short measurement and for what else the estimated time is made of, with the time that each is for
    in all; and one for what the estimates leave out.
    """
    out, rest = [], dict(planned.parts_s)
    for each in planned.measured:
        also = f"; assumed for {_kinds(each.also_for)} too" if each.also_for else ""
        total = f", {_duration(rest.pop(each.kind))} in all" if each.kind in rest else ""
        out.append(f"  {visible(each.kind)}: {_duration(each.seconds)} per {each.per} ({each.on}){total}{also}")
    out += [f"  {name}: {_duration(value)} in all" for name, value in rest.items()]
    if planned.measured and planned.unknown:
        out.append(f"  not included, as none was done here yet: {_kinds(planned.unknown)}")
    return out


def _duration(value: float) -> str:
    """Of a step, which may take less than a millisecond."""
    return seconds(value) if value >= 0.01 else f"{value * 1000:.2g} ms"


def added_seeds(planned: Planned) -> list[str]:
    """Where seeds are added until claims are settled: how many are granted by now, and that more may follow."""
    if not planned.looks:
        return []
    arms: dict[int, list[str]] = {}
    for label, seeds in planned.granted.items():
        arms.setdefault(seeds, []).append(label)
    granted = [f"{plural(seeds, 'seed')} for {plural(len(labels), 'arm')}" for seeds, labels in sorted(arms.items())]
    return [
        f"seeds granted: {', '.join(granted)}; claims are judged after {and_list(list(map(str, planned.looks)))} seeds",
        f"  {planned.more}",
    ]


def claims(foreseen: Sequence[Foresight], without_cases: str = NO_PAIRS) -> list[str]:
    """A line for each claim: how large a difference must be to settle it; and of one without cases, why."""
    if not foreseen:
        return []
    return [
        "",
        f"{'claim':<{CLAIM}}{'seeds':>7}{'cases':>7}   refuted below, supported above the margin by",
        *(line for each in foreseen for line in _claim(each, without_cases)),
        "SD: the standard deviation of the difference between paired seeds",
    ]


def _claim(claim: Foresight, without_cases: str) -> list[str]:
    """A claim in a line; where seeds are added, in a line for each look."""
    from prunectl.results.foresight import AtLook

    text = visible(shortened(claim.text, CLAIM))
    if claim.refutes_sd is None or claim.supports_sd is None:
        few = f"settles nothing: give the study at least {claim.fewest} seeds"
        return [_head(text, claim, claim.seeds) + (few if claim.cases else without_cases)]
    looks = claim.looks or (AtLook(seeds=claim.seeds, refutes_sd=claim.refutes_sd, supports_sd=claim.supports_sd),)
    return [
        _distances(_head("" if place else text, claim, look.seeds), claim, look) for place, look in enumerate(looks)
    ]


def _head(text: str, claim: Foresight, seeds: int) -> str:
    return f"{text:<{CLAIM}}{seeds:>7,}{claim.cases:>7,}   "


def _distances(head: str, claim: Foresight, look: AtLook) -> str:
    refutes, supports = (f"{value:.2g} SD" for value in (look.refutes_sd, look.supports_sd))
    if claim.over == "average":
        return f"{head}{refutes} of the average, {supports} of the average"
    alone, every = (" in one case alone", " in every case") if claim.cases > 1 else ("", "")
    return f"{head}{refutes}{alone}, {supports}{every}"
