"""ImageNet and TinyImageNet, as the files in which they come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from prunectl.base.errors import DataError
from prunectl.datasets.pictures import (
    ENDINGS,
    Listing,
    Part,
    Pictures,
    class_folders,
    of_folders,
    part,
    reading,
)


class ImageNet(Pictures):
    """ILSVRC 2012 (Russakovsky et al., 2015): 1,281,167 training pictures; the 50,000 for validation are the test part.

    Pictures are resized to a shorter side of 256 and the central 224×224 cut out (Krizhevsky et al., 2012, in the
    form that torchvision's references use).
    """

    name: ClassVar[str] = "imagenet"
    summary: ClassVar[str] = "ILSVRC 2012: 1.28 million photographs, 1,000 classes, cut to 224x224; read as needed"
    classes: ClassVar[int] = 1000
    train_size: ClassVar[int] = 1_281_167
    test_size: ClassVar[int] = 50_000
    places: ClassVar[tuple[str, ...]] = ("imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", ".")

    size: Annotated[int, Field(ge=32, description="height and width of the images that the network sees")] = 224
    resize: Annotated[int, Field(ge=32, description="the shorter side before the centre is cut out")] = 256

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        if self.resize < self.size:
            raise ValueError(f"resize = {self.resize} leaves nothing to cut {self.size}x{self.size} pixels out of")
        return self

    @property
    def shorter(self) -> int:
        """`resize`."""
        return self.resize

    def listing(self, root: Path) -> Listing:
        """train/ and val/ with a folder a class."""
        archives = "the archives of https://image-net.org, unpacked to a folder a class"
        with reading(root):
            return of_folders(_place(self.name, root, self.places, archives), "train", "val")


class TinyImageNet(Pictures):
    """200 of ImageNet's classes at 64×64 (Le & Yang, 2015): 100,000 training and 10,000 validation pictures."""

    name: ClassVar[str] = "tiny-imagenet"
    summary: ClassVar[str] = "110,000 photographs of ImageNet, 64x64 colour, 200 classes"
    mean: ClassVar[tuple[float, ...]] = (0.4802, 0.4481, 0.3975)
    std: ClassVar[tuple[float, ...]] = (0.2770, 0.2691, 0.2821)
    classes: ClassVar[int] = 200
    train_size: ClassVar[int] = 100_000
    test_size: ClassVar[int] = 10_000
    places: ClassVar[tuple[str, ...]] = ("tiny-imagenet-200", "tiny-imagenet", ".")
    annotations: ClassVar[str] = "val_annotations.txt"

    size: Annotated[int, Field(ge=8, description="height and width of the images that the network sees")] = 64

    def listing(self, root: Path) -> Listing:
        """train/ with a folder a class; val/ as published, with its table of classes, or sorted into folders."""
        archive = "tiny-imagenet-200.zip of http://cs231n.stanford.edu/tiny-imagenet-200.zip, unpacked"
        with reading(root):
            place = _place(self.name, root, self.places, archive)
            if not (place / "val" / self.annotations).is_file():
                return of_folders(place, "train", "val")
            classes = class_folders(place / "train")
            return Listing(classes=classes, train=part(place, "train", classes), test=self._annotated(place, classes))

    def _annotated(self, place: Path, classes: tuple[str, ...]) -> Part:
        """The validation part: a line a picture, its file and its class first."""
        import numpy as np

        table = place / "val" / self.annotations
        number = {name: label for label, name in enumerate(classes)}
        found: list[tuple[str, int, int]] = []
        for line, text in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
            file, _, rest = text.partition("\t")
            name, path = rest.partition("\t")[0], place / "val" / "images" / file
            if name not in number or not path.is_file() or not file.lower().endswith(ENDINGS):
                raise DataError(
                    f"{table}, line {line}: {name!r} is no class of train/, or val/images/{file} is not there",
                    hint="unpack the archive again",
                )
            found.append((f"val/images/{file}", path.stat().st_size, number[name]))
        if not found:
            raise DataError(f"{table} is empty", hint="unpack the archive again")
        files, sizes, labels = zip(*sorted(found), strict=True)
        return Part(root=place, files=files, sizes=sizes, labels=np.array(labels, np.int64))


def _place(name: str, root: Path, places: tuple[str, ...], source: str) -> Path:
    for place in places:
        if (root / place / "train").is_dir() and (root / place / "val").is_dir():
            return root / place
    looked = ", ".join(place for place in places if place != ".")
    there = f"in {root.resolve()}" if root.is_dir() else f"there: {root.resolve()} does not exist"
    raise DataError(
        f"{name} is not {there} (looked for train/ and val/, in that folder itself and in its {looked})",
        hint=f"it comes as {source}; say where it is: --data DIR, PRUNECTL_DATA, or root in [data]",
    )
