"""Metrics over a whole set of images: sums over all of them, never a mean of batch means."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from prunectl.catalog.metric import Metric
from prunectl.training.pixels import Normalize
from prunectl.training.source import Source, runs

BATCH = 500


@torch.inference_mode()
def evaluate(network: nn.Module, source: Source, normalize: Normalize, metrics: Sequence[Metric]) -> dict[str, float]:
    """The metrics of the network on all the images, by name, in evaluation mode; its own mode is restored."""
    training = network.training
    network.eval()
    totals: dict[str, Tensor] = {}
    chosen = runs(len(source.labels), BATCH)
    for run, images in zip(chosen, source.batches(chosen), strict=True):
        logits, labels = network(normalize(images)), source.labels[run]
        for metric in metrics:
            sums = metric.sums(logits, labels).double()
            totals[metric.name] = totals[metric.name] + sums if metric.name in totals else sums
    network.train(training)
    return {metric.name: metric.value(totals[metric.name].cpu(), len(source.labels)) for metric in metrics}
