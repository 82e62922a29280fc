"""What every criterion declares, and what it is given to score. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from prunectl.base.errors import PrunectlError
from prunectl.catalog.entry import Absent, Entry
from prunectl.catalog.lookup import read_entry
from prunectl.catalog.required import required
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Scores = dict[str, Tensor]
    Batch = tuple[Tensor, Tensor]


BatchNormMode = Literal["train", "eval"]
"""What BatchNorm normalises with: the statistics of the batch, or its running ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A private copy of the network to score: a criterion may change it as it likes.

    It is in the criterion's precision and BatchNorm mode, and its pruned weights are zero.
    """

    network: nn.Module
    weights: Mapping[str, nn.Parameter]
    """The prunable weights by name, in the network's order."""
    masks: Mapping[str, Tensor]
    """Same names and shapes, bool; False where a weight is gone already."""
    unmasked: Mapping[str, Tensor]
    """Same names and shapes: the weights without the masks of earlier rounds, where rounds rank all weights again."""
    batches: Sequence[Batch]
    """Frozen, balanced, shuffled batches: normalised images (N, C, H, W) and labels (N,). Empty without data."""
    shape: tuple[int, int, int]
    """(C, H, W) of one image."""
    generator: torch.Generator
    notes: dict[str, float] = field(default_factory=dict)
    """Figures about the scores themselves (such as their reliability) that a criterion leaves for the artefact."""


class Criterion(Entry):
    """A rule that gives each prunable weight a score; the lowest scores are pruned.

    Whatever depends on chance comes from `subject.generator`. Gradients of the loss are those of the mean
    cross-entropy. Scores of weights that are masked already have no effect: they are never ranked again.
    """

    file_defaults = {"paper": "none given"}

    paper: ClassVar[str]
    """Where it is defined: authors, year, equation."""
    removes: ClassVar[str] = "the lowest scores"
    """Which end goes, in the paper's own terms: here it is always the lowest scores."""
    needs_data: ClassVar[bool] = False
    """Whether it looks at training images."""
    needs_labels: ClassVar[bool] = False
    """Whether it looks at their labels."""
    per_image: ClassVar[bool] = False
    """Whether it takes derivatives of single images, so that no image of a batch may change the output of another."""
    precision: ClassVar[Literal["float32", "float64"]] = "float32"
    """Of the copy that is scored, and of the scores."""
    rounds: ClassVar[str | Mapping[str, Any]] = "one-shot"
    """The rounds that it is defined with, as a study would write them: see `own_rounds`."""
    scopes: ClassVar[tuple[str, ...] | None] = None
    """The names of the scopes that it is defined for; None: every one."""
    usual_scope: ClassVar[str] = "global"
    """The name of the scope that it is used with where a study gives none."""
    structures: ClassVar[tuple[str, ...] | None] = None
    """The names of the structures that it is defined for; None: every one."""
    regrows: ClassVar[bool] = False
    """Whether each round ranks all weights again, so that those of an earlier round may come back. What a level
    before has pruned stays pruned."""
    fresh_batches: ClassVar[bool] = False
    """Whether each round looks at other images. By default all rounds look at the same ones."""
    inverted_in_rounds: ClassVar[str | None] = None
    """Why its inversion in several rounds has no meaning, as the mask and the report note it; None where it has one."""
    prunes: ClassVar[bool] = True
    """Whether anything is pruned: only a control has a criterion that does not."""
    repeatable: ClassVar[bool] = False
    """Whether the copy can be scored again after `score`: rounds then share one, instead of a fresh copy each."""

    def batch_norm_mode(self) -> BatchNormMode:
        """The mode of BatchNorm while scoring. All other modules are in evaluation."""
        return "eval"

    def remark(self, rounds: Rounds, *, invert: bool) -> str | None:
        """What readers of masks that were made in these rounds have to know; None if there is nothing."""
        in_several = rounds.during or len(rounds.targets(0.5)) > 1
        return self.inverted_in_rounds if invert and in_several else None

    def own_rounds(self) -> Rounds:
        """The entry of the rounds that it is defined with.

        Raises PrunectlError if it is not written as one, and for rounds that retrain or prune during training: these
        only a study can ask for.
        """
        return _rounds_of(type(self))

    def own_scope(self) -> Scope:
        """The entry of the scope that it is used with where a study gives none. Raises PrunectlError if it is none."""
        return _scope_of(type(self))

    def updates_weights(self) -> bool:
        """Whether pruning changes the weights that stay, too: see `updated`."""
        return False

    def sampling(self, classes: int) -> tuple[int, int] | None:
        """How many images of each class a scoring batch has, and how many batches; None where no data is needed."""
        return None

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Why this network cannot be scored: one sentence for each reason, with what to write instead.

        `weights` are the prunable ones by name, `shape` (C, H, W) is that of the images. Asked before the first
        training, and again before scoring.
        """
        return iter(())

    def prepare(self, subject: Subject) -> None:
        """What has to be done to a fresh copy before it is scored. By default nothing."""

    @required
    def score(self, subject: Subject) -> Scores:
        """One score per prunable weight, same names and shapes as `subject.weights`. Must be finite."""
        raise NotImplementedError

    def updated(self, subject: Subject, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The prunable weights once `masks` are in force; only asked where `updates_weights`.

        `masks` prune more than `subject.masks`. What lies outside them is set to zero by the caller.
        """
        raise NotImplementedError


@cache
def _scope_of(kind: type[Criterion]) -> Scope:
    return read_entry("scopes", kind.usual_scope, Scope)


class Unpruned(Criterion):
    """What a control has in the place of a criterion. No entry of the catalogue: [[prune]] cannot ask for it."""

    name = "none"
    summary = "nothing is pruned: the dense network, retrained"
    paper = "none"
    prunes = False


@cache
def _rounds_of(kind: type[Criterion]) -> Rounds:
    rounds = read_entry("rounds", kind.rounds, Rounds)
    if rounds.retrains or rounds.during:
        what = "retrain" if rounds.retrains else "prune during training"
        raise PrunectlError(f"{kind.name!r} of the criteria is defined with rounds that {what}, {rounds.label()}")
    return rounds


class DataCriterion(Criterion):
    """A criterion that looks at training images: `batches` batches of `samples_per_class` images of each class."""

    needs_data = True
    needs_labels = True

    samples_per_class: Annotated[int, Field(ge=1, description="images of each class in a scoring batch")] = 10
    batches: Annotated[int, Field(ge=1, description="the number of batches that are scored and averaged")] = 1

    def sampling(self, classes: int) -> tuple[int, int]:
        """As the parameters give it."""
        return self.samples_per_class, self.batches


class BatchNormCriterion(DataCriterion):
    """A criterion of training images that papers compute in different modes of BatchNorm, so it is a parameter.

    In "eval" the running statistics are taken as they are: those of a network that was never trained are 0 and 1.
    """

    batch_norm: Annotated[
        BatchNormMode,
        Field(description="BatchNorm normalises with the statistics of the batch, or with its running ones"),
        Absent(value="train"),
    ] = "train"

    def batch_norm_mode(self) -> BatchNormMode:
        """As the parameter gives it."""
        return self.batch_norm
