"""Single weights as what is removed."""

from __future__ import annotations

from prunectl.pruning import mask as masking


class SingleWeights:
    """The units of unstructured pruning."""

    prune = staticmethod(masking.prune)
    shuffle = staticmethod(masking.shuffle)
