"""Metrics over a whole set of images: sums over all of them, never a mean of batch means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from prunectl.catalog.metric import Metric
from prunectl.training.pixels import Normalize
from prunectl.training.source import Source, runs

BATCH = 500
MOST_KEPT = 4_000_000
"""Logits of one test that are kept: 16 MB."""


def evaluate(network: nn.Module, source: Source, normalize: Normalize, metrics: Sequence[Metric]) -> dict[str, float]:
    """The metrics of the network on all the images, by name, in evaluation mode; its own mode is restored."""
    return scored(answers(network, source, normalize), source.labels, metrics)


@torch.inference_mode()
def answers(network: nn.Module, source: Source, normalize: Normalize) -> Iterator[Tensor]:
    """The logits (n, classes) of the network for all the images, BATCH at a time, in evaluation mode."""
    training = network.training
    network.eval()
    for images in source.batches(runs(len(source.labels), BATCH)):
        yield network(normalize(images))
    network.train(training)


def recorded(logits: Iterable[Tensor], kept: list[Tensor]) -> Iterator[Tensor]:
    """The same logits, which are also put into `kept`: all of them, or none if they are more than `MOST_KEPT`."""
    count = 0
    for batch in logits:
        count += batch.numel()
        kept.append(batch)
        if count > MOST_KEPT:
            kept.clear()
        yield batch


@torch.inference_mode()
def scored(logits: Iterable[Tensor], labels: Tensor, metrics: Sequence[Metric]) -> dict[str, float]:
    """The metrics, by name, of logits as `answers` gives them, for images with labels (N,)."""
    totals: dict[str, Tensor] = {}
    for run, batch in zip(runs(len(labels), BATCH), logits, strict=True):
        for metric in metrics:
            sums = metric.sums(batch, labels[run]).double()
            totals[metric.name] = totals[metric.name] + sums if metric.name in totals else sums
    return {metric.name: metric.value(totals[metric.name].cpu(), len(labels)) for metric in metrics}
