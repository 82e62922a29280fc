"""Parts of pictures, of random area and aspect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from prunectl.catalog.augmentation import Augmentation

if TYPE_CHECKING:
    from torch import Generator


class RandomResizedCrop(Augmentation):
    """Cut out a part of random area and aspect, and resize it: Szegedy et al. (2015), Section 6, "Going deeper".

    The area is uniform in `scale` of the picture's, the logarithm of width / height uniform in that of `ratio`; what
    does not fit is drawn again, ten times in all, and then the largest centred part of an allowed aspect is taken.
    """

    name = "random-resized-crop"
    summary = "cut out a random area and aspect, and resize; for pictures in files, first in the list"
    on_reading = True

    scale: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]] = (0.08, 1.0)
    ratio: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (3 / 4, 4 / 3)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (self.scale, self.ratio):
            if low > high:
                raise ValueError(f"the lower bound {low:g} is above the upper one {high:g}")
        return self

    def cut(self, width: int, height: int, generator: Generator) -> tuple[int, int, int, int]:
        """Draws four numbers in [0, 1) per attempt: area, aspect, and the place from the top and from the left."""
        import torch

        low, high = (math.log(bound) for bound in self.ratio)
        for _ in range(10):
            area, aspect, down, right = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
            area = width * height * (self.scale[0] + area * (self.scale[1] - self.scale[0]))
            aspect = math.exp(low + aspect * (high - low))
            wide, tall = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < wide <= width and 0 < tall <= height:
                return int(down * (height - tall + 1)), int(right * (width - wide + 1)), tall, wide
        wide = min(width, max(1, round(height * self.ratio[1])))
        tall = min(height, max(1, round(width / self.ratio[0])))
        return (height - tall) // 2, (width - wide) // 2, tall, wide
