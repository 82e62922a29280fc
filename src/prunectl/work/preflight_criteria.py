"""Preflight of criteria: a third party's scores a few made-up images before the first training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from prunectl.base import ctrl_c
from prunectl.base.errors import MethodError, described
from prunectl.base.rng import generator
from prunectl.base.text import and_list
from prunectl.catalog.criterion import Criterion
from prunectl.plan.steps import Network
from prunectl.pruning.scoring import Scoring, score

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores

MOST_IMAGES = 20
"""Two of each class, but never more than this: networks of a thousand classes take large images."""


def tried(
    criterion: Criterion, built: nn.Module, network: Network, exclude: Sequence[str], *, again: bool
) -> Iterator[tuple[str, str | None]]:
    """What is wrong with the scores that a criterion gives the network, each with a hint, and nothing otherwise.

    What it raises is reported with the file and the line. With `again` it scores twice, and has to give the same.
    """
    count = min(2 * network.classes, MOST_IMAGES)
    images = torch.randn(count, *network.shape, generator=torch.Generator().manual_seed(0))
    batches = [(images, torch.arange(count) % network.classes)] if criterion.needs_data else []

    def scored() -> Scores:
        draws = generator(0, "try")
        scoring = Scoring(criterion=criterion, exclude=exclude, batches=batches, shape=network.shape, generator=draws)
        return score(scoring, built)

    try:
        once = scored()
        other = [name for name, scores in scored().items() if not torch.equal(scores, once[name])] if again else []
    except MethodError as error:
        yield str(error), None
        return
    except BaseException as error:  # a third party's criterion may raise anything
        ctrl_c.pass_on(error)
        yield f"criterion {criterion.label()} fails: {described(error, full_path=True)}", None
        return
    if other:
        message = f"criterion {criterion.label()} gives other scores for the same weights and images the second time"
        hint = "draw random numbers from subject.generator, and keep nothing from call to call"
        yield f"{message}, in {and_list(other)}", hint
