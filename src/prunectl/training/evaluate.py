"""Loss and accuracy over a whole set of images: correct / total, never a mean of batch means."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from prunectl.training.pixels import Normalize
from prunectl.training.source import Source, runs

BATCH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Fractions in [0, 1]; the loss is the mean cross-entropy in nats."""

    loss: float
    top1: float
    top5: float


@torch.inference_mode()
def evaluate(network: nn.Module, source: Source, normalize: Normalize) -> Score:
    """The network on all the images, in evaluation mode; the mode it was in is put back."""
    training = network.training
    network.eval()
    total = loss = top1 = top5 = 0.0
    chosen = runs(len(source.labels), BATCH)
    for run, images in zip(chosen, source.batches(chosen), strict=True):
        target = source.labels[run]
        logits = network(normalize(images))
        loss += float(functional.cross_entropy(logits, target, reduction="sum"))
        ranked = logits.topk(min(5, logits.shape[1]), dim=1).indices == target[:, None]
        top1 += float(ranked[:, 0].sum())
        top5 += float(ranked.sum())
        total += len(target)
    network.train(training)
    return Score(loss=loss / total, top1=top1 / total, top5=top5 / total)
