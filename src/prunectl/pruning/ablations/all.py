from __future__ import annotations

from prunectl.catalog.ablation import Ablation


class NoAblation(Ablation):
    name = "none"
    summary = "c"
    changes = "nothing"
    noun = "x"
    verb = "x"


class Shuffle(Ablation):
    name = "shuffle"
    summary = "c"
    changes = "mask"
    noun = "x"
    verb = "x"


class Reinit(Ablation):
    name = "reinit"
    summary = "c"
    changes = "weights"
    noun = "x"
    verb = "x"


class Invert(Ablation):
    name = "invert"
    summary = "c"
    changes = "ranking"
    noun = "x"
    verb = "x"
