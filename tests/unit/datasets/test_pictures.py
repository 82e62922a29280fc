"""Pictures in files: what is listed, what is read, what is refused."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pictures import COLOURS, draw, folders
from prunectl.base.errors import DataError
from prunectl.base.rng import generator
from prunectl.datasets.imagenet import ImageNet, TinyImageNet
from prunectl.datasets.pictures import ImageFolder
from prunectl.datasets.streaming import Decoder, Streamed, stream
from prunectl.training.augmentations.random_resized_crop import RandomResizedCrop
from prunectl.training.source import RandomWindow

SMALL = ImageFolder(size=12, resize=16)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("trees"))


def opened(root: Path, workers: int = 0, limit: int | None = None) -> Streamed:
    return stream(SMALL, SMALL.listing(root).train, limit, device=torch.device("cpu"), workers=workers)


def test_a_listing_has_every_picture_in_order(root: Path) -> None:
    found = SMALL.listing(root)
    assert found.classes == tuple(COLOURS)
    assert Counter(found.train.labels.tolist()) == {0: 30, 1: 30, 2: 30}
    assert Counter(found.test.labels.tolist()) == {0: 12, 1: 12, 2: 12}
    assert "train/ash/deeper/0.JPEG" in found.train.files
    assert list(found.train.files) == sorted(found.train.files)
    assert not any("Thumbs" in file or "hidden" in file for file in found.train.files)
    content = SMALL.content(root)
    assert (content.classes, content.train_size, content.test_size, content.shape) == (3, 90, 36, (3, 12, 12))


def test_the_fingerprint_tells_copies_from_changes(root: Path, tmp_path: Path) -> None:
    """Another place is the same data; one more picture, one of another size, one in another class is not."""
    copy = shutil.copytree(root, tmp_path / "copy")
    same = SMALL.content(copy).fingerprint
    assert same == SMALL.content(root).fingerprint
    moved = copy / "train" / "ash" / "1.png"
    moved.rename(copy / "train" / "beech" / "100.png")
    assert SMALL.content(copy).fingerprint != same
    (copy / "train" / "beech" / "100.png").rename(moved)
    assert SMALL.content(copy).fingerprint == same
    moved.write_bytes(moved.read_bytes() + b"\0")
    assert SMALL.content(copy).fingerprint != same


def test_a_picture_is_resized_by_its_shorter_side_and_cut_at_its_centre(root: Path) -> None:
    """By hand, with PIL alone."""
    source, part = opened(root), SMALL.listing(root).train
    (images,) = source.batches([torch.tensor([4, 77])])
    for index, pixels in zip([4, 77], images, strict=True):
        with Image.open(root / part.files[index]) as file:
            picture = file.convert("RGB")
        width, height = picture.size
        short = min(width, height)
        sides = (16, int(16 * height / short)) if width < height else (int(16 * width / short), 16)
        resized = picture.resize(sides, Image.Resampling.BILINEAR)
        left, top = round((sides[0] - 12) / 2), round((sides[1] - 12) / 2)
        expected = np.asarray(resized.crop((left, top, left + 12, top + 12))).transpose(2, 0, 1)
        assert np.array_equal(pixels.numpy(), expected)


@pytest.mark.parametrize("cut", [False, True])
def test_what_is_read_depends_on_nothing_but_the_choice_and_the_seed(root: Path, cut: bool) -> None:
    """Not on the workers, not on what was read before, not on the other pictures of a batch."""
    window = RandomWindow(augmentation=RandomResizedCrop(), seed=3, epoch=2) if cut else None
    state = torch.get_rng_state()
    chosen: list[torch.Tensor | slice] = [torch.tensor([5, 80, 33]), slice(10, 14), torch.tensor([5])]
    one = list(opened(root).batches(chosen, window))
    other = list(opened(root, workers=2).batches(chosen, window))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert torch.equal(one[0][0], one[2][0])
    assert [images.shape for images in one] == [(3, 3, 12, 12), (4, 3, 12, 12), (1, 3, 12, 12)]
    assert one[0].dtype == torch.uint8
    assert torch.equal(torch.get_rng_state(), state)


def test_cuts_differ_by_epoch_seed_and_picture(root: Path) -> None:
    crop, source = RandomResizedCrop(), opened(root)
    windows = [RandomWindow(augmentation=crop, seed=seed, epoch=epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    cuts = {window(7, 500, 375) for window in windows} | {windows[0](8, 500, 375)}
    assert len(cuts) == 4
    images = [next(source.batches([torch.tensor([7])], window)) for window in windows]
    assert not torch.equal(images[0], images[1])


def test_random_windows_have_the_areas_and_aspects_asked_for() -> None:
    crop = RandomResizedCrop(scale=(0.2, 0.6), ratio=(0.5, 2.0))
    draws = generator(0, "test")
    cuts = torch.tensor([crop.cut(400, 300, draws) for _ in range(2000)], dtype=torch.float64)
    top, left, height, width = cuts.T
    assert bool(((top >= 0) & (left >= 0) & (top + height <= 300) & (left + width <= 400)).all())
    area, aspect = height * width / 120_000, width / height
    assert area.min() > 0.19 and area.max() < 0.61 and aspect.min() > 0.49 and aspect.max() < 2.04
    assert abs(area.mean() - 0.4) < 0.02
    assert abs(aspect.log().mean()) < 0.05
    assert crop.cut(1000, 10, draws) == (0, 490, 10, 20)  # nothing fits: the centre, as wide as is allowed


def test_a_limit_takes_equally_many_of_each_class(root: Path) -> None:
    assert Counter(opened(root, limit=31).labels.tolist()) == {0: 11, 1: 10, 2: 10}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a fork is not safe, and readers begin anew")
def test_a_reader_has_everything_imported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun from nothing, as is the default in a step, it would import torch at every pass: seconds, for nothing.

    What was changed here reaches it only if it is a copy of this process.
    """
    monkeypatch.setattr(Decoder, "__getitem__", lambda decoder, item: torch.full((3, 12, 12), 7, dtype=torch.uint8))
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("forkserver", force=True)
    try:
        (images,) = opened(root, workers=1).batches([slice(0, 4)])
    finally:
        multiprocessing.set_start_method(before, force=True)
    assert (images == 7).all()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_picture_is_named(root: Path, tmp_path: Path, workers: int) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / "train" / "ash" / "1.png").write_bytes((copy / "train" / "ash" / "1.png").read_bytes()[:60])
    with pytest.raises(DataError, match=r"ash/1\.png cannot be read as an image"):
        list(opened(copy, workers).batches([slice(0, 30)]))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_of_too_many_pixels_is_named(root: Path, tmp_path: Path, workers: int) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / "train" / "ash" / "1.png").write_bytes(b"P6 30000 30000 255\n")
    with pytest.raises(DataError, match=r"ash/1\.png cannot be read as an image: .*decompression bomb"):
        list(opened(copy, workers).batches([slice(0, 30)]))


def grey_only(root: Path, file: str, pixels: NDArray[Any]) -> Path:
    """A data set whose first picture has these pixels."""
    for part in ("train", "val"):
        for name in ("ash", "beech"):
            draw(root / part / name / "b.png", COLOURS[name], 1)
    Image.fromarray(pixels).save(root / "train" / "ash" / file)
    return root


@pytest.mark.parametrize("file", ["a.png", "a.tif", "a.pgm", "a.big.tif"])
def test_grey_of_16_bits_is_the_grey_of_8_bits(tmp_path: Path, file: str) -> None:
    """255 is 65,535: a pixel of 8 bits is 1/257 of one of 16 bits, rounded."""
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16), np.uint8)
    (eight,) = opened(grey_only(tmp_path / "8", "a.png", pixels)).batches([slice(0, 1)])
    fine = pixels.astype(np.uint16) * 257 + np.where(pixels < 255, 128, -128)
    stored = fine.astype(">u2" if "big" in file else "<u2")
    (sixteen,) = opened(grey_only(tmp_path / "16", file, stored)).batches([slice(0, 1)])
    assert torch.equal(sixteen, eight)
    assert eight.float().std() > 5


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_pixels_of_no_known_range_are_refused(tmp_path: Path, kind: str) -> None:
    grey_only(tmp_path, "a.tif", np.random.default_rng(1).uniform(0, 1, (16, 16)).astype(kind))
    with pytest.raises(DataError, match=r"ash/a\.tif cannot be read as an image: .*8 bits .*16-bit"):
        list(opened(tmp_path).batches([slice(0, 1)]))


def test_links_to_nothing_and_to_themselves_are_named(root: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    for name, target in (("gone", "nowhere.png"), ("loop", "loop.png")):
        link = copy / "train" / "ash" / f"{name}.png"
        link.symlink_to(target)
        with pytest.raises(DataError, match=rf"ash/{name}\.png cannot be read: "):
            SMALL.content(copy)
        link.unlink()
    assert SMALL.content(copy).train_size == 90


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="root may read every folder")
@pytest.mark.parametrize("folder", ["train", "train/ash", "train/ash/deeper"])
def test_a_folder_that_may_not_be_read_is_named(root: Path, tmp_path: Path, folder: str) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / folder).chmod(0)
    with pytest.raises(DataError, match=f"{folder}.* cannot be read: Permission denied"):
        SMALL.content(copy)
    (copy / folder).chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf8_are_names_like_others(root: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    picture = copy / "train" / "ash" / "1.png"
    seen = set()
    for name in (b"b\xfcche.png", b"b\xe9che.png"):
        picture = picture.rename(picture.with_name(os.fsdecode(name)))
        seen.add(SMALL.content(copy).fingerprint)
    assert len(seen) == 2
    assert sum(len(images) for images in opened(copy).batches([slice(0, 30)])) == 30


def test_names_in_utf8_are_digested_as_such(tmp_path: Path) -> None:
    """Written out: fingerprints are part of every key."""
    root = grey_only(tmp_path, "é.png", np.zeros((16, 16), np.uint8))
    digest = hashlib.sha256()
    for part, name, file in (
        ("train", "ash", "b"),
        ("train", "ash", "é"),
        ("train", "beech", "b"),
        ("val", "ash", "b"),
        ("val", "beech", "b"),
    ):
        path = f"{part}/{name}/{file}.png"
        line = "\0".join(("train" if part == "train" else "test", name, path, str((root / path).stat().st_size)))
        digest.update(f"{line}\n".encode())
    assert SMALL.content(root).fingerprint == digest.hexdigest()


def test_folders_that_do_not_fit_are_refused(root: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    with pytest.raises(DataError, match="no folder test; it has train, val"):
        ImageFolder(test="test").content(copy)
    with pytest.raises(DataError, match="does not exist"):
        SMALL.content(copy / "nowhere")
    shutil.rmtree(copy / "val" / "beech")
    with pytest.raises(DataError, match="val has no folder for beech"):
        SMALL.content(copy)
    (copy / "val" / "beech").mkdir()
    with pytest.raises(DataError, match="beech has no images"):
        SMALL.content(copy)
    with pytest.raises(ValueError, match="resize = 8 is too small"):
        ImageFolder(size=12, resize=8)


def test_tiny_imagenet_as_published_and_sorted_into_folders(tmp_path: Path) -> None:
    place = tmp_path / "tiny-imagenet-200"
    lines = []
    for label, (name, colour) in enumerate(COLOURS.items()):
        for number in range(4):
            draw(place / "train" / name / "images" / f"{name}_{number}.JPEG", colour, label * 100 + number)
        file = f"val_{2 - label}.JPEG"
        draw(place / "val" / "images" / file, colour, label)
        lines.append(f"{file}\t{name}\t0\t0\t63\t63\n")
    (place / "val" / "val_annotations.txt").write_text("".join(lines))
    (place / "train" / ".ipynb_checkpoints").mkdir()
    found = TinyImageNet().listing(tmp_path)
    assert found.classes == tuple(COLOURS)
    assert found.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.test.files == ("val/images/val_0.JPEG", "val/images/val_1.JPEG", "val/images/val_2.JPEG")
    assert found.test.labels.tolist() == [2, 1, 0]
    (place / "val" / "val_annotations.txt").write_text("val_0.JPEG\tebony\t0\t0\t63\t63\n")
    with pytest.raises(DataError, match="line 1: 'ebony' is not a class"):
        TinyImageNet().listing(tmp_path)
    shutil.rmtree(place / "val")
    for label, (name, colour) in enumerate(COLOURS.items()):
        draw(place / "val" / name / "images" / "0.JPEG", colour, label)
    assert TinyImageNet().listing(tmp_path).test.labels.tolist() == [0, 1, 2]


def test_imagenet_is_cut_as_usual(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for label, (name, colour) in enumerate(COLOURS.items()):
            draw(tmp_path / "ILSVRC2012" / part / name / "0.JPEG", colour, label)
    assert (ImageNet().shape, ImageNet().shorter) == ((3, 224, 224), 256)
    content = ImageNet().content(tmp_path)
    assert (content.classes, content.train_size, content.test_size) == (3, 3, 3)
    listed = ImageNet().listing(tmp_path).test
    (images,) = stream(ImageNet(), listed, None, device=torch.device("cpu"), workers=0).batches([slice(0, 3)])
    assert images.shape == (3, 3, 224, 224)


def test_a_pipe_in_place_of_a_picture_is_named_and_never_opened(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    label = next((tmp_path / "copy" / "train").iterdir())
    os.mkfifo(label / "x.png")
    with pytest.raises(DataError, match=r"x\.png is not a file"):
        ImageFolder(size=8).listing(tmp_path / "copy")


def test_pictures_in_folders_nested_as_deeply_as_the_system_allows(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    label = next((tmp_path / "copy" / "train").iterdir())
    before = len(ImageFolder(size=8).listing(tmp_path / "copy").train.files)
    deep = label
    for _ in range(1_500):
        deep = deep / "d"
        deep.mkdir()
    shutil.copy(next(label.glob("*.*")), deep)
    assert len(ImageFolder(size=8).listing(tmp_path / "copy").train.files) == before + 1
    while deep != label:  # pytest would remove them by recursion
        for file in deep.iterdir():
            file.unlink()
        deep.rmdir()
        deep = deep.parent
