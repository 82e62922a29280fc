"""The ranking reversed."""

from __future__ import annotations

from prunectl.catalog.ablation import Ablation


class Invert(Ablation):
    """The highest scores go, by a reversed ranking, never by 1/score (Frankle et al. 2021, Section 5)."""

    name = "invert"
    summary = "the highest scores go"
    changes = "ranking"
    noun = "inverting"
    verb = "inverted"
