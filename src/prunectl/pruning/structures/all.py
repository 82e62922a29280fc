from __future__ import annotations

from prunectl.catalog.structure import Structure


class Weights(Structure):
    name = "weights"
    summary = "c"


class Channels(Structure):
    name = "channels"
    summary = "c"
