"""Top-1 accuracy on the images that are held out of training."""

from __future__ import annotations

from prunectl.training.metrics.top1 import Top1


class Top1Validation(Top1):
    """What choices may be made by, so that none is made by the test images."""

    name = "top1_validation"
    summary = "top-1 accuracy on the validation images: [data] validation = N"
    head = "top-1, validation"
    title = "top-1 accuracy on validation images"
    part = "validation"
