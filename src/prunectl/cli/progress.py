"""What is shown while steps are done: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from prunectl.base.text import left, percent, plural, seconds, visible
from prunectl.cli.console import say
from prunectl.execute.outcome import Event, Going, Outcome, Progress, Status, WorkersChanged
from prunectl.plan.naming import Titles
from prunectl.plan.steps import Train

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.steps import Key, Step

ENDED = {Status.DONE, Status.REUSED, Status.FAILED, Status.SKIPPED}
"""How a step that was to do can end. The driver does the others again."""
NOT_SHOWN = {Status.BUSY, Status.REUSED}
HEARTBEAT_S = 30.0
"""Seconds without a line after which the steps that go on are named."""
MOST_GOING = 4
"""Maximum number of steps that go on that get a line each."""


class Display(AbstractContextManager["Display"], Protocol):
    """Listens to the driver."""

    def __call__(self, event: Event) -> None:
        """Show an event."""


def showing(quiet: bool) -> Callable[[Plan, Todo], Display]:
    """Gives the display that suits where stderr goes, once the plan and what there is to do of it are known."""

    def display(plan: Plan, todo: Todo) -> Display:
        if quiet:
            return Silent(plan)
        return Live(plan, todo.todo) if animated() else Lines(plan, todo.todo)

    return display


def animated() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def state(progress: Progress) -> str:
    """How far a training is: 'epoch 3.2 of 10, loss 0.412, top-1 91.2 %'."""
    shown = progress.shown
    if shown is None:
        return f"step {progress.done:,} of {progress.total:,}"
    parts = [f"epoch {shown.epoch:.1f} of {shown.epochs:.4g}"]
    parts += [f"loss {shown.loss:.3g}"] if shown.loss is not None else []
    parts += [f"top-1 {percent(shown.top1, 1)}"] if shown.top1 is not None else []
    return ", ".join(parts)


class Plain:
    """A display without anything to begin or end."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *end: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        raise NotImplementedError


class Silent(Plain):
    """Shows failures only, each with its step: several arms may fail for the same reason."""

    def __init__(self, plan: Plan) -> None:
        self.titles = Titles(plan)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Outcome) and event.status is Status.FAILED:
            say(f"failed: {self.titles[event.key]}: {event.reason}")


class Count:
    """The steps that have ended, and their total. A step is counted once, however often it is made again.

    A step that turns out to be needed on the way (its artefact was damaged or deleted) raises the total.
    """

    def __init__(self, todo: Iterable[Key]) -> None:
        self.expected = set(todo)
        self.ended: set[Key] = set()

    def add(self, event: Outcome) -> None:
        """Count an outcome."""
        self.expected.add(event.key)
        if event.damaged is not None:
            self.expected.add(event.damaged)
        if event.status in ENDED:
            self.ended.add(event.key)

    def __str__(self) -> str:
        """'3/17'."""
        return f"{len(self.ended)}/{len(self.expected)}"


class Left:
    """How long the steps that are left will take, from how long those that ended took."""

    def __init__(self, plan: Plan, count: Count) -> None:
        self.plan, self.count = plan, count
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.units: Counter[str] = Counter()
        self.shares: dict[Key, float] = {}  # of the trainings under way, how much of each is done
        self.jobs = 1

    def add(self, event: Outcome) -> None:
        """Learn from a step that was done. One that was lost begins again."""
        self.shares.pop(event.key, None)
        if event.status is Status.DONE:
            step = self.plan.steps[event.key]
            self.spent[step.kind] += event.wall_s
            self.units[step.kind] += units(step)

    def under_way(self, event: Progress) -> None:
        """Learn how far a step is."""
        self.shares[event.key] = min(1.0, event.done / event.total) if event.total else 0.0

    def __str__(self) -> str:
        """'12 min left', or nothing before a step of each kind that is left was done."""
        rest: defaultdict[str, float] = defaultdict(float)
        for key in self.count.expected - self.count.ended:
            step = self.plan.steps[key]
            rest[step.kind] += units(step) * (1 - self.shares.get(key, 0.0))
        if not rest or any(not self.units[kind] for kind in rest):
            return ""
        wall_s = sum(self.spent[kind] / self.units[kind] * amount for kind, amount in rest.items())
        return f"{left(wall_s / self.jobs)} left"


def units(step: Step) -> int:
    """What the time of a step grows with: of a training its length."""
    return max(1, step.to_step - step.first_step) if isinstance(step, Train) else 1


class Lines(Plain):
    """One plain line per finished step, and one for each step that goes on, every half minute."""

    def __init__(self, plan: Plan, todo: Iterable[Key], clock: Callable[[], float] = time.monotonic) -> None:
        self.titles, self.count, self.clock = Titles(plan), Count(todo), clock
        self.left = Left(plan, self.count)
        self.since: dict[Key, float] = {}
        self.latest: dict[Key, Progress] = {}
        self.skips: Counter[str] = Counter()
        self.spoken = clock()

    def __exit__(self, *end: object) -> None:
        self._tell_skips()

    def __call__(self, event: Event) -> None:
        if isinstance(event, WorkersChanged):
            say(event.label)
        elif isinstance(event, Progress):
            self.latest[event.key] = event
            self.left.under_way(event)
        elif isinstance(event, Going):
            self._going(event.keys)
        else:
            self._ended(event)

    def _ended(self, event: Outcome) -> None:
        self.count.add(event)
        self.left.add(event)
        if event.status is Status.SKIPPED:
            self.skips[event.reason] += 1
            return
        self._tell_skips()
        if event.status in NOT_SHOWN:
            return
        self.spoken = self.clock()
        ending = f": {event.reason}" if event.reason else f" ({seconds(event.wall_s)})"
        say(f"[{self.count}] {event.status.value}: {self.titles[event.key]}{ending}")

    def _tell_skips(self) -> None:
        """One line for all steps that rest on the same failure."""
        for reason, number in self.skips.items():
            say(f"[{self.count}] skipped: {plural(number, 'step')} that rest{'s' * (number == 1)} on it: {reason}")
        self.skips.clear()

    def _going(self, keys: tuple[Key, ...]) -> None:
        self._tell_skips()
        now = self.clock()
        self.left.jobs = max(self.left.jobs, len(keys))
        self.since = {key: self.since.get(key, now) for key in keys}
        if now - self.spoken < HEARTBEAT_S or not keys:
            return
        self.spoken = now
        rest = str(self.left)
        for key in keys[:MOST_GOING]:
            done = f": {state(self.latest[key])}" if key in self.latest else ""
            say(f"[{self.count}] goes on: {self.titles[key]}{done} ({seconds(now - self.since[key])})")
        more = f"and {plural(len(keys) - MOST_GOING, 'more step')}" if len(keys) > MOST_GOING else ""
        if more or rest:
            say(f"[{self.count}] {', '.join(filter(None, (more, rest)))}")


class Live:
    """A bar over all steps, and one for each step under way."""

    def __init__(self, plan: Plan, todo: Iterable[Key]) -> None:
        from rich.console import Console

        from prunectl.cli.bars import bars

        self.titles, self.count = Titles(plan), Count(todo)
        self.left = Left(plan, self.count)
        self.counts: Counter[str] = Counter()
        self.skips: Counter[str] = Counter()
        self.bars: Bars = bars(Console(stderr=True))
        self.all: TaskID = self.bars.add_task("steps", total=len(self.count.expected), state="")
        self.running: dict[Key, TaskID] = {}
        self.begun = time.monotonic()
        self._count()

    def __enter__(self) -> Live:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()
        self._tell_skips()
        done = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        say(f"{done or 'nothing done'} in {seconds(time.monotonic() - self.begun)}")

    def __call__(self, event: Event) -> None:
        if isinstance(event, WorkersChanged):
            self.bars.update(self.all, description=f"steps, {visible(event.label)}")
        elif isinstance(event, Going):
            self.left.jobs = max(self.left.jobs, len(event.keys))
            self._tell_skips()
            for key in event.keys:
                self._bar(key)
            self._count()
        elif isinstance(event, Progress):
            self.left.under_way(event)
            self.bars.update(self._bar(event.key), completed=event.done, total=event.total, state=state(event))
        else:
            self._ended(event)

    def _bar(self, key: Key) -> TaskID:
        """The bar of a step; a step that reports no progress has one without an end."""
        if key not in self.running:
            self.running[key] = self.bars.add_task(f"  {visible(self.titles[key])}", total=None, state="")
        return self.running[key]

    def _ended(self, event: Outcome) -> None:
        if (task := self.running.pop(event.key, None)) is not None:
            self.bars.remove_task(task)
        self.count.add(event)
        self.left.add(event)
        if event.status in ENDED:
            self.counts[event.status.value] += 1
        self._count()
        if event.status is Status.SKIPPED:
            self.skips[event.reason] += 1
        if event.status in (Status.FAILED, Status.LOST):
            self._print(f"{event.status.value}: {self.titles[event.key]}: {event.reason}")

    def _count(self) -> None:
        state = ", ".join(filter(None, (str(self.count), str(self.left))))
        self.bars.update(self.all, completed=len(self.count.ended), total=len(self.count.expected), state=state)

    def _tell_skips(self) -> None:
        for reason, number in self.skips.items():
            self._print(f"skipped: {plural(number, 'step')} that rest{'s' * (number == 1)} on it: {reason}")
        self.skips.clear()

    def _print(self, text: str) -> None:
        self.bars.console.print(visible(text, keep="\n"), markup=False, style="red")
