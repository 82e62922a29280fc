"""What plug-ins build augmentations on, under one name."""

from __future__ import annotations

from prunectl.catalog.augmentation import Augmentation
from prunectl.training.augmentations.flip import Flip
from prunectl.training.augmentations.pad_crop import PadCrop
from prunectl.training.augmentations.random_resized_crop import RandomResizedCrop

__all__ = ["Augmentation", "Flip", "PadCrop", "RandomResizedCrop"]
