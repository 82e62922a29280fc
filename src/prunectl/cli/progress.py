"""What is shown while steps are done: a live display on a terminal, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from prunectl.cli.console import safe, say, seconds
from prunectl.execute.outcome import Outcome, Progress, Status
from prunectl.plan.steps import Ablate, Prune, PruneRounds, Score, Train

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.steps import Key, Step

QUIET = {Status.BUSY, Status.REUSED}


class Display(AbstractContextManager["Display"], Protocol):
    """Hears what the driver tells."""

    def __call__(self, told: Outcome | Progress) -> None:
        """Show it."""


def display(plan: Plan, todo: Todo, *, quiet: bool) -> Display:
    """The display that suits where stderr goes."""
    if quiet:
        return Silent()
    return Live(plan, todo) if sys.stderr.isatty() else Lines(plan, todo)


def title(step: Step) -> str:
    """A step in a few words."""
    if isinstance(step, Train):
        masked = "pruned" if step.mask else "dense"
        return f"train {masked}, seed {step.seed}, steps {step.first_step} to {step.to_step}"
    if isinstance(step, Score):
        return f"score {step.criterion.label()}, seed {step.seed}"
    if isinstance(step, PruneRounds):
        count = len(step.rounds.targets(step.sparsity))
        return f"prune {step.criterion.label()} to {step.sparsity:.4g} in {count} rounds, seed {step.seed}"
    if isinstance(step, Prune):
        return f"prune to {step.sparsity:.4g}{', inverted' if step.invert else ''}, seed {step.seed}"
    if isinstance(step, Ablate):
        return f"{step.ablation.label()}, seed {step.seed}"
    seed = getattr(step, "seed", None)
    return step.kind if seed is None else f"{step.kind}, seed {seed}"


class Silent:
    """Says nothing but failures."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *end: object) -> None:
        return

    def __call__(self, told: Outcome | Progress) -> None:
        if isinstance(told, Outcome) and told.status is Status.FAILED:
            say(f"failed: {told.reason}")


class Lines(Silent):
    """One plain line per finished step."""

    def __init__(self, plan: Plan, todo: Todo) -> None:
        self.plan, self.total, self.count = plan, len(todo.todo), 0

    def __call__(self, told: Outcome | Progress) -> None:
        if isinstance(told, Progress) or told.status in QUIET:
            return
        self.count += told.status in (Status.DONE, Status.FAILED, Status.SKIPPED)
        ending = f": {told.reason}" if told.reason else f" ({seconds(told.wall_s)})"
        say(f"[{self.count}/{self.total}] {told.status.value}: {title(self.plan.steps[told.key])}{ending}")


class Live:
    """A bar over all steps, and one for each training under way."""

    def __init__(self, plan: Plan, todo: Todo) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self.plan = plan
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
        self.all: TaskID = self.bars.add_task("steps", total=len(todo.todo))
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

    def __call__(self, told: Outcome | Progress) -> None:
        text = safe(title(self.plan.steps[told.key]))
        if isinstance(told, Progress):
            task = self.trainings.get(told.key)
            if task is None:
                task = self.trainings[told.key] = self.bars.add_task(f"  {text}", total=told.total)
            self.bars.update(task, completed=told.done)
            return
        if (task := self.trainings.pop(told.key, None)) is not None:
            self.bars.remove_task(task)
        if told.status in (Status.DONE, Status.REUSED, Status.FAILED, Status.SKIPPED):
            self.counts[told.status.value] += 1
            self.bars.advance(self.all)
        if told.status is Status.FAILED:
            self.bars.console.print(safe(f"failed: {text}: {told.reason}"), markup=False, style="red")


def listening(plan: Plan, quiet: bool) -> Callable[[Todo], Display]:
    """For the driver: a display once it is known what is to do."""
    return lambda todo: display(plan, todo, quiet=quiet)
