"""The driver gives an engine the steps that can be done next, until no step is left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from prunectl.base.errors import InterruptError, PrunectlError
from prunectl.base.text import plural
from prunectl.base.until import Until
from prunectl.execute.engine import Engine, NotInTimeError
from prunectl.execute.outcome import Checking, Event, Going, Outcome, Request, Status
from prunectl.plan.explain import Todo
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, parents

BUSY_S = 0.5  # seconds until a step is tried again that another process is making
MOST_STOPS = 3
"""How often one run continues a step whose worker was asked to stop."""
MOST_DEATHS = 2
"""How often one run starts a step whose worker dies."""
STOPPED = "its process was asked to stop (SIGTERM)"
Listener = Callable[[Event], None]


@dataclass(kw_only=True)
class Tally:
    """How the steps of one run ended."""

    done: set[Key] = field(default_factory=set)
    reused: set[Key] = field(default_factory=set)
    failed: dict[Key, str] = field(default_factory=dict)
    skipped: dict[Key, str] = field(default_factory=dict)
    left: set[Key] = field(default_factory=set)
    """Steps that a run left to others, see `drive`."""

    def followed_by(self, later: Tally) -> Tally:
        """This run and a later one of a plan with more steps, as one: what the first has done is not reused."""
        return Tally(
            done=self.done | later.done,
            reused=(self.reused | later.reused) - self.done - later.done,
            failed={**self.failed, **later.failed},
            skipped={**self.skipped, **later.skipped},
            left=later.left,
        )


class InterruptedRunError(InterruptError):
    """Ctrl-C: finished steps are kept, and trainings under way have left a snapshot."""

    def __init__(self) -> None:
        super().__init__("interrupted; finished steps are kept", hint="run the same command to continue")


class OutOfTimeError(InterruptError):
    """The moment has come by which the run was to have stopped, and steps are left."""

    def __init__(self, until: Until, left: int, tally: Tally, *, begun: bool = True) -> None:
        self.tally = tally
        kept = "no step was finished, and snapshots of trainings under way are kept"
        if tally.done:
            kept = "finished steps are kept, and so are the snapshots of trainings under way"
        super().__init__(
            f"stopped because of --until {until.label}, with {plural(left, 'step')} left; "
            f"{kept if begun else 'no step was begun'}",
            hint="run the same command to continue",
        )


class FatalError(PrunectlError):
    """No step can be done: the store is full, the data are missing."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason, hint=outcome.hint)
        self.exit_code = outcome.exit_code


def drive(
    plan: Plan,
    todo: Todo,
    engine: Engine,
    request: Callable[[Key], Request],
    listen: Listener = lambda event: None,
    *,
    until: Until | None = None,
    leaves: bool = False,
    clock: Callable[[], float] = time.time,
) -> Tally:
    """Do every step that is to do, parents first. Raises InterruptedRunError on Ctrl-C, FatalError if it must end.

    `listen` is called with what becomes of the steps, and again and again with those that are being done.
    From `until.begin` on workers save snapshots, at `until.at` they have ended, and OutOfTimeError is raised.
    With `leaves` the run ends as soon as others, which live, do all that is left: `Tally.left`.
    """
    queue = _Queue(plan, todo)
    try:
        while queue.open() and not (leaves and queue.idle()):
            if until is not None and clock() >= until.begin:
                raise NotInTimeError
            while len(engine.running) < engine.jobs and (key := queue.next()) is not None:
                engine.start(request(key))
            listen(Going(keys=tuple(engine.running)))
            for event in engine.wait(BUSY_S):
                if not isinstance(event, Checking):
                    queue.take(event, listen)
    except KeyboardInterrupt:
        raise InterruptedRunError from None
    except NotInTimeError:
        assert until is not None
        raise OutOfTimeError(until, len(queue.left), queue.tally) from None
    finally:
        engine.stop()
    queue.tally.left = set(queue.left)
    return queue.tally


class _Queue:
    """The steps that are left, and which of them can be started."""

    def __init__(self, plan: Plan, todo: Todo) -> None:
        self.plan = plan
        self.left: dict[Key, float] = dict.fromkeys(todo.todo, 0.0)  # → the earliest time to start it
        self.running: set[Key] = set()
        self.others: set[Key] = set()
        """Steps that others are making, which were alive when they were asked for last."""
        self.stops: Counter[Key] = Counter()
        self.deaths: Counter[Key] = Counter()
        self.tally = Tally(reused=set(todo.reused))
        self.ready: list[Key] = []
        self.waiting: dict[Key, set[Key]] = {}
        self.children: dict[Key, list[Key]] = {}
        for key in todo.todo:
            self._wait_for(key, {parent for parent in self._needs(key) if parent in todo.todo})

    def _needs(self, key: Key) -> set[Key]:
        needs = set(parents(self.plan.steps[key]).values())
        earlier = self.plan.follows.get(key)
        return needs | {earlier} if earlier is not None else needs

    def _wait_for(self, key: Key, needs: set[Key]) -> None:
        self.waiting[key] = needs
        for need in needs:
            self.children.setdefault(need, []).append(key)
        if not needs:
            self.ready.append(key)

    def _is_ready(self, key: Key) -> None:
        """Put a step in the line: at its head if nothing rests on it, at its end otherwise.

        So a trained network is measured at once: its row is complete, and the worker that trained it still has the
        answers of its last test. Trainings keep their order, so that no long chain of them is begun last.
        """
        self.ready.insert(0 if key not in self.children else len(self.ready), key)

    def open(self) -> bool:
        return bool(self.left)

    def idle(self) -> bool:
        """Whether nothing is left that this run could ever do, as long as those live that make the rest.

        They make every step that could be started, and when they have finished there will never be more to do at
        once than they can do themselves. A step whose maker is not known to live may come back.
        """
        return not self.running and bool(self.others) and self.others.issuperset(self.ready) and not self._spare()

    def _spare(self) -> bool:
        """Whether more steps will be ready at once than others make now: the most at the same depth."""
        depth: dict[Key, int] = {}
        for key in self.plan.steps:  # parents come first
            if key in self.left:
                depth[key] = 1 + max((depth[need] for need in self._needs(key) if need in depth), default=0)
        return max(Counter(depth.values()).values(), default=0) > len(self.others)

    def next(self) -> Key | None:
        """A step that can be started now: the first in the line that no other process is making."""
        now = time.monotonic()
        for place, key in enumerate(self.ready):
            if self.left[key] <= now:
                del self.ready[place]
                self.running.add(key)
                return key
        return None

    def take(self, event: Event, listen: Listener) -> None:
        """Report an event, and what follows from it. Raises FatalError for one that ends the run."""
        if not isinstance(event, Outcome):
            listen(event)
            return
        outcome = self._judged(event)
        listen(outcome)
        self._end(outcome, listen)

    def _judged(self, outcome: Outcome) -> Outcome:
        """The outcome; a step that was asked to stop, or whose worker died, is started again, but not for ever.

        Raises FatalError for one that ends the run.
        """
        if outcome.status is Status.FATAL:
            raise FatalError(outcome)
        if outcome.status is Status.LOST:
            return self._lost(outcome)
        if outcome.status is not Status.STOPPED:
            return outcome
        self.stops[outcome.key] += 1
        if self.stops[outcome.key] > MOST_STOPS:
            return replace(outcome, status=Status.FAILED, reason=f"{STOPPED} {self.stops[outcome.key]} times")
        return replace(outcome, reason=f"{STOPPED}; it is continued")

    def _lost(self, outcome: Outcome) -> Outcome:
        self.deaths[outcome.key] += 1
        if self.deaths[outcome.key] < MOST_DEATHS:
            return replace(outcome, reason=f"{outcome.reason}; it is tried once more")
        return replace(outcome, status=Status.FAILED, reason=f"tried {MOST_DEATHS} times: {outcome.reason}")

    def _end(self, outcome: Outcome, listen: Listener) -> None:
        key = outcome.key
        self.running.discard(key)
        (self.others.add if outcome.status is Status.BUSY and outcome.alive else self.others.discard)(key)
        if outcome.status in (Status.BUSY, Status.STOPPED, Status.LOST):
            self.left[key] = time.monotonic() + (BUSY_S if outcome.status is Status.BUSY else 0)
            self.ready.append(key)
        elif outcome.status is Status.DAMAGED:
            assert outcome.damaged is not None
            self._make_again(outcome.damaged, key)
        elif outcome.status in (Status.DONE, Status.REUSED):
            (self.tally.done if outcome.status is Status.DONE else self.tally.reused).add(key)
            del self.left[key]
            for child in self.children.pop(key, []):
                self.waiting[child].discard(key)
                if not self.waiting[child] and child in self.left:
                    self._is_ready(child)
        else:
            self.tally.failed[key] = outcome.reason
            self._skip(key, outcome.reason, listen)

    def _make_again(self, damaged: Key, child: Key) -> None:
        """A parent was set aside: do it again, and before it whatever it needs that is gone too."""
        if damaged not in self.left:
            self.left[damaged] = 0.0
            self.tally.reused.discard(damaged)
            self._wait_for(damaged, {need for need in self._needs(damaged) if need in self.left})
        self._wait_for(child, {damaged})

    def _skip(self, key: Key, reason: str, listen: Listener) -> None:
        """Skip what depends on a failed step. An earlier state only saves time: without it a step is still done."""
        del self.left[key]
        for child in self.children.pop(key, []):
            if child not in self.left:
                continue
            if key in parents(self.plan.steps[child]).values():
                self.tally.skipped[child] = reason
                listen(Outcome(key=child, status=Status.SKIPPED, reason=reason))
                self._skip(child, reason, listen)
            else:
                self.waiting[child].discard(key)
                if not self.waiting[child]:
                    self.ready.append(child)
