"""Made-up pictures in files, of several sizes and forms, whose classes can be told from their colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"ash": (190, 60, 60), "beech": (60, 190, 60), "cedar": (60, 60, 190)}


def draw(path: Path, colour: tuple[int, int, int], seed: int) -> None:
    """One noisy picture of about this colour, wider or taller than 12 pixels."""
    draws = np.random.default_rng(seed)
    height, width = draws.integers(12, 30, 2)
    pixels = draws.normal(colour, 60, (height, width, 3)).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def folders(root: Path, test: str = "val", train_each: int = 30, test_each: int = 12) -> Path:
    """train/CLASS/... and TEST/CLASS/...: JPEG and PNG, capital endings, a folder deeper, and what is no picture."""
    for part, each in (("train", train_each), (test, test_each)):
        for label, (name, colour) in enumerate(COLOURS.items()):
            for number in range(each):
                file = f"{number}.png" if number % 3 else f"deeper/{number}.JPEG"
                draw(root / part / name / file, colour, hash_of(part, label, number))
            (root / part / name / "Thumbs.db").write_bytes(b"not a picture")
            (root / part / name / ".hidden.png").write_bytes(b"nor this")
    return root


def hash_of(part: str, label: int, number: int) -> int:
    """A seed for each picture."""
    return (part == "train") * 1_000_000 + label * 10_000 + number
