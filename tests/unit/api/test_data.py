"""Data sets on the disk, and downloading one: from a server on this machine, in the format of the data set."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from prunectl.api import data
from prunectl.base.errors import DataError, PrunectlError
from prunectl.datasets.fingerprint import digest_of
from prunectl.datasets.idx import PARTS
from prunectl.datasets.imagenet import TinyImageNet
from prunectl.datasets.mnist import Mnist


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the URL under which its files are served, on loopback."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_address[1]}/"
        http.shutdown()
        thread.join()


def idx(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return gzip.compress(header + values.tobytes())


@pytest.fixture
def mnist(server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small MNIST that the server gives, and that torchvision and prunectl take for the real one; its data root."""
    folder, url = server
    rng = np.random.default_rng(0)
    resources = []
    for part, size in zip(PARTS, (20, 20, 10, 10), strict=True):
        shape = (size, 28, 28) if "images" in part else (size,)
        content = idx(rng.integers(0, 10, shape, np.uint8))
        (folder / f"{part}.gz").write_bytes(content)
        resources.append((f"{part}.gz", hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "mirrors", [url])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    for name, value in {"train_size": 20, "test_size": 10, "fingerprint": None}.items():
        monkeypatch.setattr(Mnist, name, value)
    return tmp_path / "data"


def test_a_data_set_is_downloaded_once_and_verified(
    mnist: Path, server: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert data.absent(Mnist(), mnist)
    where = data.get("mnist", mnist)
    assert where == mnist / "MNIST" / "raw"
    assert not data.absent(Mnist(), mnist)
    assert Mnist().arrays(mnist).train_images.shape == (20, 1, 28, 28)
    for file in server[0].iterdir():
        file.unlink()
    assert data.get("mnist", mnist) == where, "nothing is fetched again"
    assert capsys.readouterr().out == "", "progress is no result"


def test_what_arrives_must_have_the_fingerprint(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mnist, "fingerprint", "0" * 64)
    with pytest.raises(DataError, match="is not the original"):
        data.get("mnist", mnist)
    monkeypatch.setattr(Mnist, "fingerprint", digest_of(Mnist().arrays(mnist)))
    assert data.get("mnist", mnist)


def test_an_interrupted_download_is_completed(mnist: Path, server: tuple[Path, str]) -> None:
    last = server[0] / f"{PARTS[-1]}.gz"
    content = last.read_bytes()
    last.write_bytes(content[:10])
    with pytest.raises(PrunectlError, match=r"mnist cannot be downloaded to .*: Error downloading") as raised:
        data.get("mnist", mnist)
    assert "run this again" in str(raised.value.hint)
    assert data.absent(Mnist(), mnist)
    last.write_bytes(content)
    assert data.get("mnist", mnist)


def test_an_archive_with_another_digest_is_not_unpacked(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = tmp_path / "data", "tiny-imagenet-200"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in ("train", "val"):
            archive.writestr(f"{folder}/{part}/n01443537/a.JPEG", b"no picture")
    (server[0] / f"{folder}.zip").write_bytes(content.getvalue())
    monkeypatch.setattr(TinyImageNet, "url", f"{server[1]}{folder}.zip")
    with pytest.raises(PrunectlError, match=r"tiny-imagenet cannot be downloaded to .*: File not found or corrupted"):
        data.get("tiny-imagenet", root)
    assert data.absent(TinyImageNet(), root)
    monkeypatch.setattr(TinyImageNet, "md5", hashlib.md5(content.getvalue()).hexdigest())
    data.download(TinyImageNet(), root)
    assert (root / folder / "train").is_dir() and not list(root.glob("*.zip"))


def test_a_server_that_is_gone_is_an_error_with_what_to_do(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(PrunectlError, match="mnist cannot be downloaded") as raised:
        data.get("mnist", mnist)
    assert "`prunectl data ls` on it shows where" in str(raised.value.hint)


def test_a_directory_that_cannot_be_written_is_named(mnist: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunectlError, match="file/data cannot be written"):
        data.get("mnist", tmp_path / "file" / "data")


def test_data_sets_are_listed_without_reading_them(mnist: Path) -> None:
    listed = {found.name: found for found in data.listed(mnist)}
    assert listed["digits"].found and listed["digits"].where == "included"
    assert not listed["mnist"].found
    assert listed["mnist"].where.startswith(f"mnist was not found because {mnist} does not exist")
    assert listed["imagenet"].download_bytes is None
    assert "image-folder" not in listed, "it has no usual place"
    data.get("mnist", mnist)
    after = {found.name: found for found in data.listed(mnist)}
    assert (after["mnist"].found, after["mnist"].where) == (True, str(mnist / "MNIST" / "raw"))


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("minst", "no data set 'minst'; there are digits, mnist", "did you mean mnist?"),
        ("nope", "no data set 'nope'; there are digits, mnist", "`prunectl data ls` lists them, and which are here"),
        ("imagenet", "imagenet was not found", "distributed to those who register"),
        (
            "image-folder",
            "image-folder cannot be downloaded: your own pictures",
            "name its directory in [data] of the study",
        ),
    ],
)
def test_what_cannot_be_downloaded_says_how_to_get_it(name: str, message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(PrunectlError) as raised:
        data.get(name, tmp_path)
    assert raised.value.message.startswith(message)
    assert hint in str(raised.value.hint)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100", "tiny-imagenet"])
def test_each_missing_data_set_names_the_command_that_gets_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        data.named(name).located(tmp_path)
    assert f"`prunectl data get {name} --data {tmp_path}` downloads it" in str(raised.value.hint)
