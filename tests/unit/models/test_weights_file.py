"""A file of weights is known by its tensors, and read without running anything that it holds."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from prunectl.models.weights_file import WeightsError, checked, digest_of, refuse_code, unpickled

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.ones(4, dtype=torch.float16), "n": torch.tensor(3)}


def saved(path: Path, **changed: torch.Tensor) -> Path:
    save_file(TENSORS | changed, path)
    return path


def by_hand(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_the_digest_is_of_the_tensors_and_not_of_the_file(tmp_path: Path) -> None:
    digest = digest_of(saved(tmp_path / "x.safetensors"))
    save_file(dict(reversed(TENSORS.items())), tmp_path / "y.safetensors", metadata={"by": "me"})
    assert digest_of(tmp_path / "y.safetensors") == digest
    assert checked(tmp_path / "y.safetensors", digest) == (tmp_path / "y.safetensors").read_bytes()
    header = {"u": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}, "v": entry("U8", [1], 0, 1)}
    other = {"v": entry("U8", [1], 2, 3), "u": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}
    one, two = by_hand(tmp_path / "1", header, b"abc"), by_hand(tmp_path / "2", other, b"bca")
    assert digest_of(one) == digest_of(two), "where the bytes of a tensor are is not part of it"


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "changed",
    [
        {"b": TENSORS["b"] + 1},
        {"b": TENSORS["b"].reshape(3, 2)},
        {"a": torch.ones(4, dtype=torch.bfloat16)},
        {"c": torch.zeros(0)},
    ],
    ids=["values", "shape", "type", "name"],
)
def test_other_tensors_have_another_digest(changed: dict[str, torch.Tensor], tmp_path: Path) -> None:
    digest = digest_of(saved(tmp_path / "x"))
    assert digest_of(saved(tmp_path / "y", **changed)) != digest
    with pytest.raises(WeightsError, match="have changed since the study was read"):
        checked(tmp_path / "y", digest)


def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path: Path) -> None:
    """The first byte of a file is the last of a length; 128 is also how a pickle begins."""
    path = tmp_path / "x"
    text = json.dumps({"w": entry("U8", [1], 0, 1)}).encode()
    by_hand(path, text.ljust(0x80), b"a")
    assert path.read_bytes()[:1] == b"\x80"
    digest = digest_of(path)
    by_hand(path, text.ljust(0x80) + b"  ", b"a")
    assert digest_of(path) == digest, "of its tensors, not of its bytes"


@pytest.mark.parametrize("legacy", [False, True])
def test_files_of_torch_are_known_by_their_bytes(legacy: bool, tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "x.pt", _use_new_zipfile_serialization=not legacy)
    digest = digest_of(tmp_path / "x.pt")
    assert digest == hashlib.sha256((tmp_path / "x.pt").read_bytes()).hexdigest()
    assert checked(tmp_path / "x.pt", digest)
    torch.save({**TENSORS, "a": torch.zeros(4)}, tmp_path / "x.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(WeightsError, match="have changed since"):
        checked(tmp_path / "x.pt", digest)


def test_what_is_missing_or_not_a_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="x does not exist"):
        digest_of(tmp_path / "x")
    with pytest.raises(WeightsError, match="is not a file"):
        digest_of(tmp_path)
    with pytest.raises(WeightsError, match=r"a\\x00b does not exist"):
        digest_of(tmp_path / "a\0b")


BROKEN = {
    "empty": b"",
    "short": b"abc",
    "text": b"hello, world, this is some text",
    "length": (1 << 60).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_other_files_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BROKEN[name])
    with pytest.raises(WeightsError, match="x is not a safetensors file") as caught:
        digest_of(tmp_path / "x")
    assert "damaged" in str(caught.value.hint)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickled_module_is_to_be_loaded_where_it_is_trusted(tmp_path: Path, zipped: bool) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError) as caught:
        refuse_code(tmp_path / "m.pt")
    assert caught.value.message.endswith(
        "cannot be read without running code: Unsupported global: "
        "GLOBAL torch.nn.modules.linear.Linear was not an allowed global by default"
    )
    assert "trusted" in str(caught.value.hint) and "model.state_dict()" in str(caught.value.hint)
    assert "weights_only=True" not in str(caught.value.hint), "that is what has just failed"


@pytest.mark.parametrize("content", [b"\x80\x02junk", b"PK\x03\x04" + b"junk" * 20, b"\x80\x02."], ids=repr)
def test_a_damaged_pickle_is_to_be_fetched_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read: ") as caught:
        refuse_code(tmp_path / "m.pt")
    assert "get it again" in str(caught.value.hint) and "torch.load" not in str(caught.value.hint)


def test_escape_sequences_of_torch_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*arguments: object, **options: object) -> None:
        raise RuntimeError("two options, \x1b[1monly if you trust it\x1b[0m.")

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(WeightsError, match=r"two options, only if you trust it\."):
        unpickled(b"", tmp_path / "m.pt")


@pytest.mark.parametrize(
    "header",
    [
        {"w": 3},
        {"w": {"dtype": "F32"}},
        {"w": entry("F32", [1], 4, 0)},
        {"w": entry("F32", [-1], 0, 4)},
        {"w": {"dtype": 3, "shape": [1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}},
        b"{" * 100_000,
        b'{"w": \xff}',
    ],
    ids=repr,
)
def test_headers_that_describe_nothing_are_refused(header: object, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="its header cannot be read"):
        digest_of(by_hand(tmp_path / "x", header, b"abcd"))


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "x")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="it is not complete"):
        digest_of(path)


def test_damage_is_refused_or_another_digest_and_never_a_crash(tmp_path: Path) -> None:
    whole = saved(tmp_path / "x").read_bytes()
    digest, draws = digest_of(tmp_path / "x"), random.Random(0)
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[draws.randrange(len(whole))] ^= 1 << draws.randrange(8)
        (tmp_path / "y").write_bytes(damaged)
        try:
            assert digest_of(tmp_path / "y") != digest
        except WeightsError:
            continue


def test_reading_imports_neither_torch_nor_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from prunectl.models.weights_file import digest_of; "
        f"digest_of(Path({str(saved(tmp_path / 'x'))!r})); print({{'torch', 'numpy'}} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
