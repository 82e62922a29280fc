"""Pictures from files to tensors, through torchvision and a DataLoader, in whatever order is asked for.

What is read depends on nothing but the choice and the seed: not on the number of workers, nor on what was read before.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import data

from prunectl.base.errors import DataError, PrunectlError
from prunectl.datasets.pictures import Part, Pictures
from prunectl.datasets.subset import balanced

Window = Callable[[int, int, int], tuple[int, int, int, int]]
"""(number of a picture, width, height) → (top, left, height, width) of what is cut out of it."""

Item = tuple[int, Window | None]


class Decoder(data.Dataset[Tensor | str]):
    """Pictures of a part as uint8 (3, size, size): cut in the fixed way, or where a window says.

    A picture that cannot be read gives the reason in words: an error would lose its shape between processes.
    """

    def __init__(self, part: Part, size: int, shorter: int) -> None:
        _torchvision()
        self.root, self.size, self.shorter = part.root, size, shorter
        self.files = part.files

    def __getitem__(self, item: Item) -> Tensor | str:
        from PIL import Image, UnidentifiedImageError
        from torchvision.transforms import functional

        index, window = item
        path = self.root / self.files[index]
        try:
            with Image.open(path) as opened:
                picture = _colours(opened)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            return f"{path} cannot be read as an image: {error}"
        if window is None:
            picture = functional.center_crop(functional.resize(picture, self.shorter), self.size)
        else:
            place = window(index, picture.width, picture.height)
            picture = functional.resized_crop(picture, *place, [self.size, self.size])
        pixels: Tensor = functional.pil_to_tensor(picture)
        return pixels


class Streamed:
    """A part that is read as it is needed. Labels (N,) int64 lie on the device, and so does every batch."""

    def __init__(self, decoder: Decoder, positions: Sequence[int], labels: Tensor, workers: int) -> None:
        self.decoder, self.positions, self.labels, self.workers = decoder, positions, labels, workers

    @property
    def size_bytes(self) -> int:
        """What all of it would take in memory."""
        return len(self.labels) * 3 * self.decoder.size**2

    def batches(self, chosen: Iterable[Tensor | slice], window: Window | None = None) -> Iterator[Tensor]:
        """uint8 (n, 3, size, size) for each choice, in turn; `workers` processes read ahead."""
        wanted = [[(self.positions[index], window) for index in _indices(one, len(self.labels))] for one in chosen]
        device = self.labels.device
        loader: Any = data.DataLoader(
            self.decoder,
            batch_sampler=wanted,
            num_workers=self.workers,
            # A step's own default is a server that has imported nothing yet: seconds for every pass over the pictures.
            multiprocessing_context="fork" if self.workers and sys.platform == "linux" else None,
            pin_memory=device.type == "cuda",
            worker_init_fn=_begin_worker if self.workers else None,
            collate_fn=_together,
            generator=torch.Generator(),  # else it draws from the random state of the whole process
        )
        for images in loader:
            if isinstance(images, str):
                raise DataError(images, hint="replace the file, or remove it")
            yield images.to(device, non_blocking=True)


def stream(dataset: Pictures, part: Part, limit: int | None, *, device: torch.device, workers: int) -> Streamed:
    """A part, or its fixed class-balanced part of `limit` pictures."""
    labels = torch.from_numpy(part.labels)
    positions = range(len(labels)) if limit is None else balanced(part.labels, limit).tolist()
    decoder = Decoder(part, dataset.size, dataset.shorter)
    return Streamed(decoder, positions, labels[list(positions)].to(device), workers)


def _colours(opened: Any) -> Any:
    """A picture of PIL in RGB; grey of 16 bits is scaled from 65,535 to 255. ValueError where the range is unknown.

    Without this, PIL cuts off what is above 255. Its mode I is 16 bits in PNG and PGM, and any 32 bits elsewhere.
    """
    from PIL import Image

    if opened.mode.startswith("I;16") or (opened.mode == "I" and opened.format in ("PNG", "PPM")):
        opened.load()
        grey = np.asarray(opened).astype(np.uint32)
        opened = Image.fromarray(((grey + 128) // 257).astype(np.uint8))
    if opened.mode in ("I", "F"):
        raise ValueError(
            f"which of its pixels are white is not known (PIL's mode {opened.mode}: 32 bits a pixel); "
            "save it with 8 bits a channel, or as grey of 16 bits (PNG, PGM or TIFF)"
        )
    return opened.convert("RGB")


def _indices(chosen: Tensor | slice, count: int) -> Sequence[int]:
    return range(*chosen.indices(count)) if isinstance(chosen, slice) else chosen.tolist()


def _together(items: Sequence[Tensor | str]) -> Tensor | str:
    """A batch, or the first reason why there is none."""
    images = [item for item in items if isinstance(item, Tensor)]
    return torch.stack(images) if len(images) == len(items) else next(one for one in items if isinstance(one, str))


def _begin_worker(number: int) -> None:
    """A worker is one thread, and ends when it is told to: what its parent does with signals is not its own."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _torchvision() -> None:
    try:
        import torchvision  # noqa: F401
    except ImportError as error:
        raise PrunectlError(
            "pictures are read with torchvision, which is not installed", hint='pip install "prunectl[vision]"'
        ) from error
