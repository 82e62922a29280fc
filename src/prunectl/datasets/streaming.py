"""Pictures from files to tensors, through torchvision and a DataLoader, in any order.

The result depends only on the positions and the seed, not on the number of workers or on what was read before.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import data

from prunectl.base.errors import DataError
from prunectl.catalog.augmentation import Window
from prunectl.datasets.pictures import Part, Pictures
from prunectl.datasets.subset import balanced

Item = tuple[int, Window | None]
"""The number of a picture, and the window to cut out of it: None for the fixed one."""


class Decoder(data.Dataset[Tensor | str]):
    """Pictures of a part as uint8 (3, size, size), cut in the fixed way or at a window.

    A picture that cannot be read gives the reason as text: an exception would lose its type between processes.
    """

    def __init__(self, part: Part, size: int, shorter: int) -> None:
        self.root, self.size, self.shorter = part.root, size, shorter
        self.files, self.sizes = part.files, part.sizes

    def __getitem__(self, item: Item) -> Tensor | str:
        from torchvision.transforms import functional

        index, window = item
        picture = self._read(index, _colours)
        if isinstance(picture, str):
            return picture
        if window is None:
            picture = functional.center_crop(functional.resize(picture, self.shorter), self.size)
        else:
            place = window(index, picture.width, picture.height)
            picture = functional.resized_crop(picture, *place, [self.size, self.size])
        pixels: Tensor = functional.pil_to_tensor(picture)
        return pixels

    def path(self, index: int) -> Path:
        """The file of a picture."""
        return self.root / self.files[index]

    def fault(self, index: int, *, whole: bool) -> str | None:
        """Why a picture cannot be read: all of it if `whole`, else only the beginning of its file."""
        read = self._read(index, _colours if whole else lambda opened: None)
        return read if isinstance(read, str) else None

    def _read(self, index: int, take: Callable[[Any], Any]) -> Any:
        """What is taken of a picture, or the reason why it cannot be read."""
        from PIL import Image, UnidentifiedImageError

        path = self.path(index)
        try:
            with Image.open(path) as opened:
                return take(opened)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            return f"{path} cannot be read as an image: {error}"


class Streamed:
    """A part that is read when needed. Its labels (N,) int64 and every batch are on the device."""

    def __init__(self, decoder: Decoder, positions: Sequence[int], labels: Tensor, workers: int) -> None:
        self.decoder, self.positions, self.labels, self.workers = decoder, positions, labels, workers

    @property
    def size_bytes(self) -> int:
        """The memory that all its images would take."""
        return len(self.labels) * 3 * self.decoder.size**2

    def batches(self, chosen: Iterable[Tensor | slice], window: Window | None = None) -> Iterator[Tensor]:
        """uint8 (n, 3, size, size) for each choice of positions, in order; `workers` processes read ahead."""
        wanted = [[(self.positions[index], window) for index in _indices(batch, len(self.labels))] for batch in chosen]
        device = self.labels.device
        loader: Any = data.DataLoader(
            self.decoder,
            batch_sampler=wanted,
            num_workers=self.workers,
            # The default there is a server that has not imported torch: seconds for every pass over the pictures.
            multiprocessing_context="fork" if self.workers and sys.platform == "linux" else None,
            pin_memory=device.type == "cuda",
            worker_init_fn=_begin_worker if self.workers else None,
            collate_fn=_together,
            generator=torch.Generator(),  # or it would draw from the global generator
        )
        for images in loader:
            if isinstance(images, str):
                raise DataError(images, hint="replace or remove the file")
            yield images.to(device, non_blocking=True)


def stream(dataset: Pictures, part: Part, limit: int | None, *, device: torch.device, workers: int) -> Streamed:
    """A part as it is read when needed; with a limit, its fixed class-balanced part of that size."""
    positions = np.arange(len(part.labels)) if limit is None else balanced(part.labels, limit)
    return streamed(dataset, part, positions, device=device, workers=workers)


def streamed(
    dataset: Pictures, part: Part, positions: NDArray[np.int64], *, device: torch.device, workers: int
) -> Streamed:
    """The pictures of a part at these positions."""
    decoder = Decoder(part, dataset.size, dataset.shorter)
    return Streamed(decoder, positions.tolist(), torch.from_numpy(part.labels[positions]).to(device), workers)


def _colours(opened: Any) -> Any:
    """A PIL picture in RGB; 16-bit grey is scaled from 65,535 to 255. Raises ValueError if its range is unknown.

    PIL itself would clip values above 255. Its mode I has 16 bits in PNG and PGM files, and any 32 bits elsewhere.
    """
    from PIL import Image

    if opened.mode.startswith("I;16") or (opened.mode == "I" and opened.format in ("PNG", "PPM")):
        opened.load()
        grey = np.asarray(opened).astype(np.uint32)
        opened = Image.fromarray(((grey + 128) // 257).astype(np.uint8))
    if opened.mode in ("I", "F"):
        raise ValueError(
            f"the value of white is unknown (PIL's mode {opened.mode}: 32 bits per pixel); "
            "save it with 8 bits per channel, or as 16-bit grey (PNG, PGM or TIFF)"
        )
    return opened.convert("RGB")


def _indices(chosen: Tensor | slice, count: int) -> Sequence[int]:
    return range(*chosen.indices(count)) if isinstance(chosen, slice) else chosen.tolist()


def _together(items: Sequence[Tensor | str]) -> Tensor | str:
    """A batch, or the first reason why a picture of it cannot be read."""
    images = [item for item in items if isinstance(item, Tensor)]
    return torch.stack(images) if len(images) == len(items) else next(item for item in items if isinstance(item, str))


def _begin_worker(number: int) -> None:
    """One thread per worker, which a signal ends: it does not inherit the handlers of its parent."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
