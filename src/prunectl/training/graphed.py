"""Training steps on a GPU: recorded once as a CUDA graph and replayed, which launches all of their kernels at once.

A replayed step leaves the bits of one that is called: the same kernels run, on the same numbers. What differs between
steps is read from fixed places in memory: images, labels, draws of the augmentation, the learning rate, and the masks
(`Trainee.factors`), which change in place. The generators of the GPU are seeded before a replay as before a call.

Not recorded: steps of another size (the last batch of an epoch), steps whose gradients a hook asks for, and trainings
of which it is not known that every step calls the same operations. These are called as on the CPU.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from prunectl.base.errors import described
from prunectl.base.theirs import third_party
from prunectl.training.trainee import Trainee

WARM = 3
"""Steps of a size that are called before one is recorded: libraries are loaded, and optimizers make their state."""

_log = logging.getLogger("prunectl")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """What a step reads, on the device."""

    images: Tensor
    """uint8 (N, C, H, W), not augmented yet."""
    labels: Tensor
    """(N,)"""
    drawn: tuple[Tensor, ...]
    """The draws of each augmentation."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them."""
        return self.images, self.labels, *self.drawn


Learn = Callable[[Batch], None]
"""A whole step: augmentation, forward, backward, masks, optimizer."""


class Static:
    """A step that reads its batch at fixed places in memory, laid out like the batch that it is made for."""

    def __init__(self, learn: Learn, like: Batch) -> None:
        self.learn = learn
        self.batch = Batch(
            images=torch.empty_like(like.images),
            labels=torch.empty_like(like.labels),
            drawn=tuple(torch.empty_like(drawn) for drawn in like.drawn),
        )

    def fits(self, batch: Batch) -> bool:
        """Whether a batch has the same size."""
        return len(batch.labels) == len(self.batch.labels)

    def fill(self, batch: Batch) -> None:
        """Copy a batch of the same size to where the step reads it."""
        for place, tensor in zip(self.batch.tensors, batch.tensors, strict=True):
            place.copy_(tensor)

    def __call__(self, batch: Batch) -> None:
        """One step."""
        self.fill(batch)
        self.learn(self.batch)


class Recorded(Static):
    """The same on a GPU, as a graph: recorded when it is made, which does no step, and replayed in each call."""

    def __init__(self, learn: Learn, like: Batch) -> None:
        super().__init__(learn, like)
        self.fill(like)
        self.graph = torch.cuda.CUDAGraph()
        # Other threads may go on: the one that pins pictures as they are read.
        with torch.cuda.graph(self.graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
            learn(self.batch)

    def __call__(self, batch: Batch) -> None:
        """One step; returns before the GPU has done it."""
        self.fill(batch)
        self.graph.replay()


class Replaying:
    """Calls the first steps, then records one and replays it. Where that is impossible it logs why, once."""

    def __init__(self, learn: Learn, record: Callable[[Learn, Batch], Static] = Recorded) -> None:
        self.learn, self.record = learn, record
        self.called: Counter[int] = Counter()
        self.static: Static | None = None
        self.refused = False

    def __call__(self, batch: Batch) -> None:
        """One step."""
        if self.static is None and not self.refused and self.called[len(batch.labels)] >= WARM:
            self._record(batch)
        if self.static is not None and self.static.fits(batch):
            self.static(batch)
        elif self.static is not None or self.refused:
            self.learn(batch)
        else:
            self._warm(batch)

    def _warm(self, batch: Batch) -> None:
        """A graph repeats what it was recorded with: what a step draws on the CPU would be the same in every step."""
        before = _host_generators()
        self.learn(batch)
        self.called[len(batch.labels)] += 1
        if _host_generators() != before:
            self._refuse("a step draws random numbers on the CPU")

    def _record(self, batch: Batch) -> None:
        try:
            self.static = self.record(self.learn, batch)
        except Exception as error:  # whatever an operation that cannot be recorded raises
            _forget_recording()
            self._refuse(described(error))

    def _refuse(self, reason: str) -> None:
        self.refused = True
        _log_eager(reason)


@contextmanager
def steps_of(trainee: Trainee, learn: Learn) -> Iterator[Learn]:
    """How the steps of a training are done on its device: called one by one, or replayed on a stream of their own."""
    device = trainee.loss_sum.device
    if device.type != "cuda":
        yield learn
        return
    if (reason := unrecordable(trainee)) is not None:
        _log_eager(reason)
        yield learn
        return
    own, before = _stream(device), torch.cuda.current_stream(device)
    own.wait_stream(before)
    replaying = Replaying(learn)
    try:
        with torch.cuda.stream(own):
            yield replaying
    finally:
        before.wait_stream(own)
        replaying.static = None
        torch.cuda.empty_cache()  # or nothing but another graph could use the memory of this one


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """One of a process: cuBLAS keeps some 70 MB of workspace for each stream that it has seen."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def unrecordable(trainee: Trainee) -> str | None:
    """Why it is not known that every step of a training calls the same operations, or None if it is.

    What Python decides in a step (a counter, `random`) is decided once in a graph, so code of third parties is called.
    """
    recipe = trainee.training.recipe
    if not recipe.optimizer.capturable:
        return f"the optimizer {recipe.optimizer.name} does not declare that its steps can be recorded"
    for part in (*trainee.network.modules(), *recipe.augment):
        kind = type(part)
        if third_party(kind.__module__, getattr(sys.modules.get(kind.__module__), "__file__", None)):
            return f"{kind.__name__} is code of a third party ({kind.__module__})"
    return None


def _log_eager(reason: str) -> None:
    _log.warning("training steps are not recorded as a CUDA graph, and take longer: %s", reason)


def _host_generators() -> tuple[object, ...]:
    """The states of the global generators on the CPU, to be compared."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    return torch.get_rng_state().numpy().tobytes(), kind, np.asarray(keys).tobytes(), *rest, random.getstate()


def _forget_recording() -> None:
    """After a recording that failed, the generator of the GPU still counts as being recorded, and refuses to draw."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        generator.graphsafe_set_state(generator.clone_state())
