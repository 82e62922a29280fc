"""Magnitude, in units of the layer's mean magnitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from prunectl.pruning.criterion import Criterion, Subject

if TYPE_CHECKING:
    from prunectl.pruning.criterion import Scores


class MeanMagnitude(Criterion):
    """score = |w| / mean(|w| of the layer)^power. No paper's: an example of what a package has to write."""

    name: ClassVar[str] = "mean-magnitude"
    summary: ClassVar[str] = "|w| over its layer's mean: an example of a third party's criterion"
    paper: ClassVar[str] = "none: an example"

    power: Annotated[float, Field(ge=0, description="0 for plain magnitude")] = 1.0

    def score(self, subject: Subject) -> Scores:
        """torch is imported by whoever calls this: the class itself can be listed without it."""
        return {name: w.detach().abs() / w.detach().abs().mean() ** self.power for name, w in subject.weights.items()}
