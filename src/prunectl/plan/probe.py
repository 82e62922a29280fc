"""What a plan takes of which that is not known, from short versions of its trainings and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prunectl.plan import short
from prunectl.plan.cost import Known, Past, in_words, like_of
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, Measure, Step, Train, key_of, preimage

STORE = "steps in the store"
TESTS = "tests during training"
OTHERS = "other steps"


class NotDoneError(Exception):
    """A short version of a step could not be done; the message is why."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How long a kind of step takes of which that was not known."""

    kind: str
    """'train (lenet-300-100, mnist)'."""
    on: str
    """The device that it was measured on, or that it is taken from steps in the store."""
    seconds: float
    per: str
    """What takes these seconds: 'step of 128 images'."""
    also_for: tuple[str, ...] = ()
    """Other kinds of trainings of the network and data, which are assumed to take as long."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What was measured, and the same as steps that were done, from which an estimate is made."""

    measurements: list[Measurement] = field(default_factory=list)
    past: list[Past] = field(default_factory=list)
    tests: dict[str, float] = field(default_factory=dict)
    """Of the trainings that were measured, by kind: the fraction of their time that the tests of their curves take."""


def parts(found: Probed, kinds_s: Mapping[str, float]) -> dict[str, float]:
    """The seconds of an estimate by what they are spent on; they sum to it.

    Under the kind of each measurement are the steps that it is for, trainings without the tests of their curves. These
    are TESTS, and the steps that were not measured OTHERS. `kinds_s` are the seconds by kinds of steps.
    """
    seconds: dict[str, float] = {}
    measured: set[str] = set()
    for each in found.measurements:
        kinds = {each.kind, *each.also_for} & kinds_s.keys()
        seconds[each.kind] = sum(kinds_s[kind] * (1 - found.tests.get(kind, 0.0)) for kind in kinds)
        measured |= kinds
    within = sum(kinds_s[kind] * share for kind, share in found.tests.items() if kind in measured)
    others = sum(value for kind, value in kinds_s.items() if kind not in measured)
    return seconds | {name: value for name, value in ((TESTS, within), (OTHERS, others)) if value}


class Probing:
    """The trainings and tests of a plan of which it is not known how long they take.

    `images` are those of a whole test, `do` does a step whose parents are done, and `on` names where.
    """

    def __init__(
        self,
        plan: Plan,
        before: Known,
        unknown: Mapping[str, Step],
        *,
        images: int,
        do: Callable[[Step], Past],
        on: str,
        warn: Callable[[str], None],
    ) -> None:
        self.plan, self.before, self.unknown = plan, before, unknown
        self.images, self.do, self.on, self.warn = images, do, on, warn
        self.found = Probed()
        self.begun: dict[Key, Past] = {}
        self.test_s: dict[str, float] = {}
        """Seconds of a test within a training, by what its measurement is like."""

    def result(self) -> Probed:
        """Everything that can be measured."""
        for step in self.unknown.values():
            if isinstance(step, Measure):
                self._attempt(step, [])
        alike: dict[str, list[Train]] = {}
        for step in self.unknown.values():
            if isinstance(step, Train):
                alike.setdefault(like_of(short.plain(step)), []).append(step)
        for like, trainings in alike.items():
            if like in self.before:
                self._as_before(like, trainings)
            else:
                self._attempt(trainings[0], trainings)
        return self.found

    def _attempt(self, step: Measure | Train, trainings: list[Train]) -> None:
        """Measure a test, or a training for all those of its network and data; else warn why it cannot be."""
        kind = in_words(like_of(step))
        self.warn(f"measuring on {self.on}: {kind}; Ctrl-C shows the plan without it")
        try:
            self._test(step) if isinstance(step, Measure) else self._training(step, trainings)
        except NotDoneError as error:
            self.warn(f"{kind} could not be measured: {error}. `prunectl plan STUDY --check` may show more")

    def _test(self, asked: Measure) -> None:
        step = short.test_of(self.plan, asked)
        if step is None:
            raise NotDoneError("the plan has no test of this network and data")
        state, done = self._beginning(step), list[Past]()

        def run(limit: int) -> float:
            done.append(self.do(short.short_test(step, state, limit)))
            return done[-1].wall_s

        timing = short.timed(run, self.images, short.IMAGES)
        whole_s = timing.at(self.images)
        self.test_s[like_of(step)] = min(whole_s, self.images * timing.each_s)
        self.found.past.append(Past(preimage=preimage(step), wall_s=whole_s, size_bytes=done[-1].size_bytes))
        self._note(step, whole_s, f"test of {self.images:,} images")

    def _training(self, step: Train, trainings: list[Train]) -> None:
        start, done = self._beginning(step), list[Past]()

        def run(steps: int) -> float:
            done.append(self.do(short.short_training(step, start, steps)))
            return done[-1].wall_s

        timing = short.timed(run, short.length_of(step))
        for each in trainings:
            test_s, size_bytes = self._test_s(each), done[-1].size_bytes
            whole = short.as_past(each, step, timing, test_s=test_s, size_bytes=size_bytes)
            self.found.past.append(whole)
            self.found.tests[in_words(like_of(each))] = short.tests_in(each) * test_s / (whole.wall_s or 1.0)
        self._note(step, timing.each_s, f"step of {step.recipe.batch_size:,} images", trainings[1:])

    def _as_before(self, like: str, trainings: list[Train]) -> None:
        """Trainings that prune on the way, where one was done of their network and data that does not."""
        each_s, size_bytes = self.before.seconds[like], round(self.before.size_bytes[like])
        for step in trainings:
            wall_s = each_s * short.length_of(step) * step.recipe.batch_size
            self.found.past.append(Past(preimage=preimage(step), wall_s=wall_s, size_bytes=size_bytes))
        self._note(short.plain(trainings[0]), each_s, "image", trainings, on=STORE)

    def _beginning(self, step: Train | Measure) -> Key:
        """The weights that short versions of a step begin with, made once."""
        start = short.beginning(self.plan, step)
        key = key_of(start)
        if key not in self.begun:
            self.begun[key] = self.do(start)
            if like_of(start) in self.unknown:
                self.found.past.append(self.begun[key])
        return key

    def _test_s(self, step: Train) -> float:
        """Seconds of a test within a training; 0 where that is not known."""
        test = short.test_of(self.plan, step)
        like = "" if test is None else like_of(test)
        return self.test_s.get(like, self.before.seconds.get(like, 0.0))

    def _note(self, step: Step, seconds: float, per: str, also: Sequence[Train] = (), on: str = "") -> None:
        self.found.measurements.append(
            Measurement(
                kind=in_words(like_of(step)),
                on=on or self.on,
                seconds=seconds,
                per=per,
                also_for=tuple(in_words(like_of(other)) for other in also),
            )
        )
