"""What is shown while steps are done: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from prunectl.base.text import seconds, visible
from prunectl.cli.console import say
from prunectl.execute.outcome import Event, Outcome, Progress, Status, WorkersChanged
from prunectl.plan.steps import Ablate, Collapse, Prune, PruneRounds, Score, Sensitivity, Train

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.steps import Key, Step

ENDED = {Status.DONE, Status.REUSED, Status.FAILED, Status.SKIPPED}
"""How a step that was to do can end. The driver does the others again."""
NOT_SHOWN = {Status.BUSY, Status.REUSED}


class Display(AbstractContextManager["Display"], Protocol):
    """Listens to the driver."""

    def __call__(self, event: Event) -> None:
        """Show an event."""


def showing(quiet: bool) -> Callable[[Plan, Todo], Display]:
    """Gives the display that suits where stderr goes, once the plan and what there is to do of it are known."""

    def display(plan: Plan, todo: Todo) -> Display:
        if quiet:
            return Silent()
        return Live(plan, todo.todo) if sys.stderr.isatty() else Lines(plan, todo.todo)

    return display


def title(step: Step) -> str:
    """A step in a few words."""
    if isinstance(step, Train):
        masked = "pruned" if step.mask else step.during.rounds.name if step.during else "dense"
        return f"train {masked}, seed {step.seed}, steps {step.first_step} to {step.to_step}"
    if isinstance(step, Score):
        return f"score {step.criterion.label()}, seed {step.seed}"
    if isinstance(step, PruneRounds):
        count = len(step.rounds.targets(step.sparsity))
        return f"prune {step.criterion.label()} to {step.sparsity:.4g} in {count} rounds, seed {step.seed}"
    if isinstance(step, Prune):
        return f"prune to {step.sparsity:.4g}{', inverted' if step.invert else ''}, seed {step.seed}"
    if isinstance(step, Collapse):
        return f"critical compression of {step.criterion.label()}, seed {step.seed}"
    if isinstance(step, Ablate):
        return f"{step.ablation.label()}, seed {step.seed}"
    if isinstance(step, Sensitivity):
        return f"each layer alone without {step.rate:.4g} of it, seed {step.seed}"
    return f"{step.kind}, seed {step.seed}"


class Plain:
    """A display without anything to begin or end."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *end: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        raise NotImplementedError


class Silent(Plain):
    """Shows failures only."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Outcome) and event.status is Status.FAILED:
            say(f"failed: {event.reason}")


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


class Lines(Plain):
    """One plain line per finished step."""

    def __init__(self, plan: Plan, todo: Iterable[Key]) -> None:
        self.plan, self.count = plan, Count(todo)

    def __call__(self, event: Event) -> None:
        if isinstance(event, WorkersChanged):
            say(event.label)
        if not isinstance(event, Outcome):
            return
        self.count.add(event)
        if event.status in NOT_SHOWN:
            return
        ending = f": {event.reason}" if event.reason else f" ({seconds(event.wall_s)})"
        say(f"[{self.count}] {event.status.value}: {title(self.plan.steps[event.key])}{ending}")


class Live:
    """A bar over all steps, and one for each training under way."""

    def __init__(self, plan: Plan, todo: Iterable[Key]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self.plan, self.count = plan, Count(todo)
        self.counts: Counter[str] = Counter()
        self.bars: Bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.all: TaskID = self.bars.add_task("steps", total=len(self.count.expected))
        self.trainings: dict[Key, TaskID] = {}
        self.begun = time.monotonic()

    def __enter__(self) -> Live:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()
        done = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        say(f"{done or 'nothing done'} in {seconds(time.monotonic() - self.begun)}")

    def __call__(self, event: Event) -> None:
        if isinstance(event, WorkersChanged):
            self.bars.update(self.all, description=f"steps, {visible(event.label)}")
            return
        text = visible(title(self.plan.steps[event.key]))
        if isinstance(event, Progress):
            task = self.trainings.get(event.key)
            if task is None:
                task = self.trainings[event.key] = self.bars.add_task(f"  {text}", total=event.total)
            self.bars.update(task, completed=event.done)
            return
        if (task := self.trainings.pop(event.key, None)) is not None:
            self.bars.remove_task(task)
        self.count.add(event)
        if event.status in ENDED:
            self.counts[event.status.value] += 1
        self.bars.update(self.all, completed=len(self.count.ended), total=len(self.count.expected))
        if event.status in (Status.FAILED, Status.LOST):
            failure = visible(f"{event.status.value}: {text}: {event.reason}", keep="\n")
            self.bars.console.print(failure, markup=False, style="red")
