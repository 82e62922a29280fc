"""How far a plan is done. Alone in its file, so that the command line can know it without importing the plan."""

from __future__ import annotations

from typing import Literal

Stage = Literal["train", "prune", "ablate", "retrain", "latency", "sensitivity"]

APART: tuple[Stage, ...] = ("latency", "sensitivity")
"""Commands with steps that no trial needs: `Plan.asked`."""
