"""ImageNet and TinyImageNet, read from their original image files."""

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
    """ILSVRC 2012 (Russakovsky et al., 2015): 1,281,167 training pictures; the test part is the 50,000 for validation.

    Pictures are resized to a shorter side of 256 and the central 224×224 pixels are used (Krizhevsky et al., 2012,
    in the form of torchvision's references).
    """

    name = "imagenet"
    summary = "ILSVRC 2012: 1.28 million photographs, 1,000 classes, cut to 224x224; read as needed"
    classes = 1000
    train_size = 1_281_167
    test_size = 50_000
    places: ClassVar[tuple[str, ...]] = ("imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", ".")

    size: Annotated[int, Field(ge=32, description="height and width of the images that the network sees")] = 224
    resize: Annotated[int, Field(ge=32, description="the shorter side before the centre is cut out")] = 256

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        if self.resize < self.size:
            raise ValueError(f"resize = {self.resize} is too small to cut {self.size}x{self.size} pixels")
        return self

    @property
    def shorter(self) -> int:
        """`resize`."""
        return self.resize

    def located(self, root: Path) -> Path:
        """The folder with train/ and val/."""
        archives = (
            "it is distributed to those who register as the archives of https://image-net.org; unpack them to one "
            "folder per class"
        )
        return _folder(self.name, root, self.places, archives)

    def listing(self, root: Path) -> Listing:
        """The files of train/ and val/, each with one folder per class."""
        with reading(root):
            return of_folders(self.located(root), "train", "val")


class TinyImageNet(Pictures):
    """200 of ImageNet's classes at 64×64 (Le & Yang, 2015): 100,000 training and 10,000 validation pictures."""

    name = "tiny-imagenet"
    summary = "110,000 photographs of ImageNet, 64x64 colour, 200 classes"
    mean = (0.4802, 0.4481, 0.3975)
    std = (0.2770, 0.2691, 0.2821)
    classes = 200
    train_size = 100_000
    test_size = 10_000
    places: ClassVar[tuple[str, ...]] = ("tiny-imagenet-200", "tiny-imagenet", ".")
    annotations: ClassVar[str] = "val_annotations.txt"
    url: ClassVar[str] = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
    md5: ClassVar[str] = "90528d7ca1a48142e341f4ef8d21d0de"
    """Of the archive. Its authors publish no digest: it is the one that other loaders check (avalanche among them)."""
    download_bytes = 248_100_043

    size: Annotated[int, Field(ge=8, description="height and width of the images that the network sees")] = 64

    def located(self, root: Path) -> Path:
        """The folder with train/ and val/."""
        from prunectl.datasets.locate import getting

        how = f"`{getting(self.name, root.resolve())}` downloads it from {self.url}"
        return _folder(self.name, root, self.places, how)

    def download(self, root: Path) -> None:
        """The archive of the authors, unpacked if it has the digest that it has elsewhere."""
        from prunectl.datasets.download import archive

        archive(self.url, root, self.md5)

    def listing(self, root: Path) -> Listing:
        """The files of train/, in one folder per class, and of val/, which has a table of classes or folders too."""
        with reading(root):
            folder = self.located(root)
            if not (folder / "val" / self.annotations).is_file():
                return of_folders(folder, "train", "val")
            classes = class_folders(folder / "train")
            return Listing(classes=classes, train=part(folder, "train", classes), test=self._annotated(folder, classes))

    def _annotated(self, folder: Path, classes: tuple[str, ...]) -> Part:
        """The validation part. Each line of its table begins with the file and the class of one picture."""
        import numpy as np

        table = folder / "val" / self.annotations
        number = {name: label for label, name in enumerate(classes)}
        pictures: list[tuple[str, int, int]] = []
        for line, text in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
            file, _, rest = text.partition("\t")
            name, path = rest.partition("\t")[0], folder / "val" / "images" / file
            if name not in number or not path.is_file() or not file.lower().endswith(ENDINGS):
                raise DataError(
                    f"{table}, line {line}: {name!r} is not a class of train/, or val/images/{file} is missing",
                    hint="unpack the archive again",
                )
            pictures.append((f"val/images/{file}", path.stat().st_size, number[name]))
        if not pictures:
            raise DataError(f"{table} is empty", hint="unpack the archive again")
        files, sizes, labels = zip(*sorted(pictures), strict=True)
        return Part(root=folder, files=files, sizes=sizes, labels=np.array(labels, np.int64))


def _folder(name: str, root: Path, places: tuple[str, ...], how: str) -> Path:
    """The first of the places under the root that has both parts."""
    for place in places:
        if (root / place / "train").is_dir() and (root / place / "val").is_dir():
            return root / place
    from prunectl.datasets.locate import searched

    raise DataError(
        f"{name} was not found {searched(root.resolve(), places, 'train/ and val/')}",
        hint=f"{how}; or give its directory: --data DIR, PRUNECTL_DATA, or root in [data]",
    )
