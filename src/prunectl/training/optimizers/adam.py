from __future__ import annotations

from prunectl.catalog.optimizer import Optimizer


class Adam(Optimizer):
    name = "adam"
    summary = "adam"
