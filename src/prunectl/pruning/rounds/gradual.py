"""Gradual pruning during training (Zhu & Gupta 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field

from prunectl.base.errors import Problem, StudyError
from prunectl.catalog.hook import Pruning, Trainee
from prunectl.catalog.retraining import Dense
from prunectl.catalog.rounds import Rounds, Setting
from prunectl.catalog.values import Fraction, Length, Moment, When


class Gradual(Rounds):
    """At t = t0, t0 + Δ, ... and last at t1 the sparsity is s + (s0 − s)(1 − (t − t0)/(t1 − t0))^power.

    Zhu & Gupta (2018), eq. 1, with t0 = `from`, t1 = `to`, Δ = `every`, s0 = `initial` and s the sparsity of the
    sweep. At each t the criterion scores the weights of the moment, and exactly round(s_t · n) are gone: what is gone
    stays gone. After t1 the training goes on to its end, with the same schedule. (Zhu and Gupta prune each layer to
    the same sparsity and rank the weights as stored, so that theirs may return.)
    """

    name = "gradual"
    summary = "during training: the sparsity rises from `from` to `to`, fast at first"
    during = True

    from_: Annotated[When, Field(alias="from", description="the moment of the training at which pruning begins")] = (
        "init"
    )
    to: Annotated[When, Field(description="the moment at which the sparsity is reached")]
    every: Annotated[Length, Field(description="the time between two prunings")] = Length(steps=100)
    initial: Annotated[Fraction, Field(description="the sparsity of the first pruning")] = 0.0
    power: Annotated[float, Field(gt=0, le=100, description="how fast the sparsity rises at first: 1 is a line")] = 3.0

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """It ends after it begins, where both are given in one unit."""
        yield from super().rules(table)
        begin, end = _places(table.get("from", "init")), _places(table.get("to"))
        for unit in begin.keys() & end.keys():
            if begin[unit] >= end[unit]:
                yield Problem(path=("to",), message=f"{unit} {end[unit]} is not after `from`, {unit} {begin[unit]}")

    def unreachable(self, sparsity: float) -> tuple[str, str] | None:
        """Sparsities below `initial`."""
        if sparsity >= self.initial:
            return None
        return "initial", f"{self.initial:g} is above the sparsity {sparsity:.6g} of the sweep"

    def first(self, dense: Dense) -> int:
        """`from`."""
        return dense.moment(self.from_)

    def in_steps(self, dense: Dense) -> Self:
        """All three counted in steps. Raises StudyError unless `from` comes before `to`."""
        begin, end = self.first(dense), dense.moment(self.to)
        if begin >= end:
            raise StudyError(f"{self.label()}: it ends at step {end}, and begins at step {begin}")
        return type(self).model_construct(
            from_=Moment(step=begin),
            to=Moment(step=end),
            every=Length(steps=dense.length(self.every, dense.recipe)),
            initial=self.initial,
            power=self.power,
        )

    def sparsities(self, sparsity: float) -> dict[int, float]:
        """s_t by t, ascending, of rounds whose moments are in steps."""
        assert isinstance(self.from_, Moment) and isinstance(self.to, Moment)
        begin, end, every = self.from_.step, self.to.step, self.every.steps
        assert begin is not None and end is not None and every is not None
        return {
            t: sparsity + (self.initial - sparsity) * (1 - (t - begin) / (end - begin)) ** self.power
            for t in (*range(begin, end, every), end)
        }

    def hook(self, setting: Setting) -> Pruning:
        """Prunes at each of the steps."""
        return Shrinking(setting, self.sparsities(setting.sparsity))


class Shrinking(Pruning):
    """Prunes to given sparsities after given numbers of steps."""

    def __init__(self, setting: Setting, sparsities: Mapping[int, float]) -> None:
        super().__init__()
        self.setting, self.sparsities = setting, sparsities

    def begin(self, trainee: Trainee) -> None:
        """Where the training begins is where the first pruning is."""
        self.after(trainee)

    def after(self, trainee: Trainee) -> None:
        """A pruning, if it is time for one. Nothing goes at a sparsity of 0, whatever the scores."""
        sparsity = self.sparsities.get(trainee.step)
        if sparsity is None:
            return
        if sparsity == 0:
            trainee.remask({})
            return
        pruned = self.setting.prune(trainee, sparsity)
        trainee.remask(pruned.masks)
        self.tied += pruned.tied
        self.tied_pruned += pruned.tied_pruned


def _places(moment: Any) -> dict[str, int]:
    """A moment by unit, as far as it is one; the start is one in both."""
    if moment == "init":
        return {"epoch": 0, "step": 0}
    return {unit: at for unit, at in moment.items() if type(at) is int} if isinstance(moment, Mapping) else {}
