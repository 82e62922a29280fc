"""An archive is taken whole and sound, or not at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.base.keys import digest
from prunectl.store import archive, layout, unpack
from prunectl.store.local import LocalStore
from prunectl.store.manifest import Made

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGES = [f'{{"kind":"init","seed":{seed}}}' for seed in range(3)]
KEYS = sorted(digest(preimage) for preimage in PREIMAGES)


def filled(root: Path) -> LocalStore:
    store = LocalStore(root).open()
    for preimage in PREIMAGES:
        with store.scratch() as out:
            (out / "a.json").write_text(f"[{preimage}]")
            (out / "b.safetensors").write_bytes(bytes(range(256)) * 64)
            store.put(digest(preimage), preimage, out, MADE)
    return store


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return filled(tmp_path / "one")


@pytest.fixture
def other(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "other").create()


def contents(store: LocalStore) -> dict[str, bytes]:
    objects = store.root / layout.OBJECTS
    return {str(file.relative_to(objects)): file.read_bytes() for file in objects.rglob("*") if file.is_file()}


def refused(path: Path, other: LocalStore, why: str) -> None:
    """The archive is refused with a message that says why, and nothing of it is anywhere in the store."""
    before = contents(other)
    with pytest.raises(PrunectlError, match=why) as caught:
        unpack.read(path, other)
    assert str(path) in caught.value.message
    assert contents(other) == before
    assert list((other.root / layout.SCRATCH).iterdir()) == []


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz", "all.tgz"])
def test_what_is_written_is_read_back_to_the_byte(name: str, store: LocalStore, other: LocalStore) -> None:
    path = store.root.parent / name
    archive.write(path, store, KEYS)
    assert unpack.read(path, other) == (KEYS, [])
    assert contents(other) == contents(store)
    assert (other.fetch(KEYS[0]) / "a.json").stat().st_mode & 0o222 == 0
    assert unpack.read(path, other) == ([], KEYS)


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_the_same_artefacts_give_the_same_file(name: str, store: LocalStore, tmp_path: Path) -> None:
    again = filled(tmp_path / "again")
    for folder, source in ((tmp_path / "x", store), (tmp_path / "y", again)):
        folder.mkdir()
        archive.write(folder / name, source, KEYS)
    assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()


def test_unpacked_by_tar_it_is_a_store(store: LocalStore, tmp_path: Path) -> None:
    archive.write(tmp_path / "all.tar", store, KEYS)
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "all.tar", "-C", tmp_path / "unpacked"], check=True)
    unpacked = LocalStore(tmp_path / "unpacked").open()
    assert list(unpacked.keys()) == KEYS
    assert unpacked.fetch(KEYS[0])


def test_only_what_is_asked_for(store: LocalStore, other: LocalStore, tmp_path: Path) -> None:
    archive.write(tmp_path / "one.tar", store, KEYS[1:2])
    assert unpack.read(tmp_path / "one.tar", other) == (KEYS[1:2], [])
    assert list(other.keys()) == KEYS[1:2]


def test_nothing_but_the_archive_is_left_where_it_is_written(store: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    archive.write(folder / "all.tar.gz", store, KEYS)
    with pytest.raises(PrunectlError, match="cannot be written"):
        archive.write(folder / "missing" / "all.tar", store, KEYS)
    assert [file.name for file in folder.iterdir()] == ["all.tar.gz"]
    with pytest.raises(PrunectlError, match=r"does not end in \.tar"):
        archive.check_suffix(folder / "all.zip")


def test_any_flipped_byte_is_refused_and_named(store: LocalStore, other: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    sound = path.read_bytes()
    with tarfile.open(path) as file:
        members = {member.name: member.offset_data + member.size // 2 for member in file}
    for name, offset in members.items():
        damaged = bytearray(sound)
        damaged[offset] ^= 1
        path.write_bytes(damaged)
        refused(
            path,
            other,
            name.split("/")[2][:12] if "/" in name else "is damaged|does not (list|know|name)|ends too early",
        )
    for offset in (0, 200, 512 * 3 + 10):  # in a header: its checksum, or its name
        damaged = bytearray(sound)
        damaged[offset] ^= 1
        path.write_bytes(damaged)
        refused(path, other, "was not imported")


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_an_archive_that_is_cut_short_is_refused(name: str, store: LocalStore, other: LocalStore) -> None:
    path = store.root.parent / name
    archive.write(path, store, KEYS)
    whole = path.read_bytes()
    for part in (0, 100, 512, 5000, 20_000, len(whole) // 2, len(whole) * 2 // 3):
        if part < len(whole) * 0.9:
            path.write_bytes(whole[:part])
            refused(path, other, "was not imported")


def test_what_is_no_archive_is_refused(other: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    for content in (b"", b"hello", bytes(10_240), gzip.compress(b"hello"), b"\x1f\x8b\x08\x00rubbish" * 99):
        path.write_bytes(content)
        refused(path, other, "was not imported")
    with pytest.raises(PrunectlError, match="No such file"):
        unpack.read(tmp_path / "none.tar", other)
    with pytest.raises(PrunectlError, match="directory"):
        unpack.read(tmp_path, other)


def rewritten(path: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]) -> None:
    """The archive with each member changed, left out or joined by others."""
    with tarfile.open(path) as file:
        members = [(member, file.extractfile(member).read()) for member in file]  # type: ignore[union-attr]  # all plain
    with tarfile.open(path, "w") as file:
        for member, data in (made for each in members for made in change(*each)):
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))


def named(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/tmp/evil", "objects/../../evil", f"objects/{KEYS[0][:2]}/{KEYS[0]}/../../../../evil",
        f"objects/{KEYS[0][:2]}/{KEYS[0]}/..", f"objects/{KEYS[0][:2]}/{KEYS[0]}/sub/evil", "objects/zz/evil/a.json",
        f"objects/{KEYS[0][:2]}/{KEYS[0]}/.hidden", f"objects/00/{KEYS[0]}/a.json", "README", "evil\x1b[2J",
    ],
)  # fmt: skip
def test_members_that_lead_elsewhere_are_refused(
    name: str, store: LocalStore, other: LocalStore, tmp_path: Path
) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    rewritten(path, lambda member, data: [(member, data), *([(named(name), b"x")] if "b.safe" in member.name else [])])
    refused(path, other, "is not a file of an artefact")
    assert not list(tmp_path.parent.rglob("evil"))
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes, store: LocalStore, other: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)

    def linked(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        if member.name.endswith("a.json"):
            member.type, member.linkname = kind, "/etc/passwd"
            return [(member, b"")]
        return [(member, data)]

    rewritten(path, linked)
    refused(path, other, "is not a plain file")


def test_files_more_or_less_than_the_manifest_says_are_refused(
    store: LocalStore, other: LocalStore, tmp_path: Path
) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    rewritten(path, lambda member, data: [] if member.name.endswith("a.json") else [(member, data)])
    refused(path, other, "a.json is missing")
    archive.write(path, store, KEYS)
    rewritten(path, lambda member, data: [] if member.name.endswith("manifest.json") else [(member, data)])
    refused(path, other, "comes before its manifest")
    archive.write(path, store, KEYS)
    more = named(f"objects/{KEYS[0][:2]}/{KEYS[0]}/c.json")
    rewritten(
        path, lambda member, data: [(member, data), *([(more, b"1")] if f"{KEYS[0]}/manifest" in member.name else [])]
    )
    refused(path, other, r"does not list c\.json")
    archive.write(path, store, KEYS)
    rewritten(path, lambda member, data: [(member, data)] * (2 if member.name.endswith("a.json") else 1))
    refused(path, other, "in it twice")


def test_an_artefact_under_another_key_is_refused(store: LocalStore, other: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS[:1])
    wrong = "0" * 64

    def moved(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        member.name = member.name.replace(f"{KEYS[0][:2]}/{KEYS[0]}", f"00/{wrong}")
        return [(member, data.replace(KEYS[0].encode(), wrong.encode()) if "archive" in member.name else data)]

    rewritten(path, moved)
    refused(path, other, "pre-image does not give its key")


def test_a_file_in_the_archive_that_its_list_does_not_name_is_refused(
    store: LocalStore, other: LocalStore, tmp_path: Path
) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    rewritten(path, lambda member, data: [(member, data.replace(f', "{KEYS[2]}"'.encode(), b""))])
    refused(path, other, "list does not name")


def test_what_is_there_already_is_left_alone(store: LocalStore, tmp_path: Path) -> None:
    archive.write(tmp_path / "all.tar", store, KEYS)
    store.delete(KEYS[0])
    times = {key: (store.fetch(key) / "a.json").stat().st_mtime_ns for key in KEYS[1:]}
    assert unpack.read(tmp_path / "all.tar", store) == (KEYS[:1], KEYS[1:])
    assert {key: (store.fetch(key) / "a.json").stat().st_mtime_ns for key in KEYS[1:]} == times


def sparse(name: str, size_bytes: int) -> bytes:
    """The header of a GNU sparse file, which unpacks to a size that it does not have."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"%011o\0" % size_bytes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_that_would_be_read_into_memory_are_refused(kind: bytes, other: LocalStore, tmp_path: Path) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, 1 << 40
    (tmp_path / "x.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    refused(tmp_path / "x.tar", other, "is not a plain file|is damaged")


def test_a_sparse_file_is_refused_before_it_is_unpacked(other: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(sparse("prunectl-store.json", 3 << 30) + bytes(10_240))
    refused(tmp_path / "x.tar", other, "is not a plain file")
    (tmp_path / "x.tar").write_bytes(sparse("x", 3).replace(b"00000000003", b"notanumber!") + bytes(10_240))
    refused(tmp_path / "x.tar", other, "was not imported")


def test_what_does_not_fit_is_refused_by_its_declared_size(
    store: LocalStore, other: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    monkeypatch.setattr("shutil.disk_usage", lambda root: SimpleNamespace(free=40_000))
    refused(path, other, r"needs 49\.\d kB or more, and the disk of the store .* has 40\.0 kB left")
    assert unpack.read(path, store) == ([], KEYS), "what the store has takes no room"


def test_a_file_that_is_larger_than_its_manifest_states_is_not_read(
    store: LocalStore, other: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.tar.gz"
    archive.write(tmp_path / "all.tar", store, KEYS)

    def grown(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        return [(member, data + bytes(1 << 20) if member.name.endswith("b.safetensors") else data)]

    rewritten(tmp_path / "all.tar", grown)
    path.write_bytes(gzip.compress((tmp_path / "all.tar").read_bytes()))
    real, read = unpack._copied, list[str]()

    def counted(content: IO[bytes], out: Path | None) -> str:
        read.append(content.name)
        return real(content, out)

    monkeypatch.setattr(unpack, "_copied", counted)
    refused(path, other, r"b\.safetensors is not what was written")
    assert not any(name.endswith("b.safetensors") for name in read)


def test_an_archive_that_changes_while_it_is_read_is_refused(
    store: LocalStore, other: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.tar"
    archive.write(path, store, KEYS)
    surveyed = unpack._surveyed

    def changed(*given: object) -> object:
        manifests = surveyed(path, other)
        rewritten(path, lambda member, data: [(member, b"[]" if member.name.endswith("a.json") else data)])
        return manifests

    monkeypatch.setattr(unpack, "_surveyed", changed)
    refused(path, other, "it changed while it was read")


def test_other_compressions_are_refused(store: LocalStore, other: LocalStore, tmp_path: Path) -> None:
    archive.write(tmp_path / "all.tar", store, KEYS)
    for compress in (bz2.compress, lzma.compress):
        (tmp_path / "x.tar").write_bytes(compress((tmp_path / "all.tar").read_bytes()))
        refused(tmp_path / "x.tar", other, "not a tar archive")
