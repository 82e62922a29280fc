from __future__ import annotations

from prunectl.catalog.metric import Metric


class Top1(Metric):
    name = "top1"
    summary = "c"
    head = "Top-1"
    unit = "fraction"
    better = "high"


class Top5(Metric):
    name = "top5"
    summary = "c"
    head = "Top-5"
    unit = "fraction"
    better = "high"


class Loss(Metric):
    name = "loss"
    summary = "c"
    head = "Loss"
    unit = "nats"
    better = "low"
