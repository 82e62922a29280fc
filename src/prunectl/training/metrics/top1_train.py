"""Top-1 accuracy on the training images."""

from __future__ import annotations

from prunectl.training.metrics.top1 import Top1


class Top1Train(Top1):
    """In evaluation mode, on every training image without augmentation: one more pass over them for each trial."""

    name = "top1_train"
    summary = "top-1 accuracy on the training images, not augmented: [data] top1_train = true"
    head = "top-1, training"
    title = "top-1 accuracy on training images"
    part = "train"
