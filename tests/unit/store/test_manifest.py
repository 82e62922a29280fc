"""A manifest comes back as it was written, or not at all."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, replace
from typing import Any

import pytest

from prunectl.base.keys import digest
from prunectl.store.hardware import HardwareClass
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode
from prunectl.store.sealed import seal

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGE = '{"kind":"init"}'
KEY = digest(PREIMAGE)
MANIFEST = Manifest(key=KEY, preimage=PREIMAGE, files={"a": "0" * 64}, sizes={"a": 3, "b": 4}, made=MADE)


def signed(body: dict[str, Any]) -> bytes:
    """A manifest with any content and a digest that fits it."""
    return seal(body)


def test_what_is_written_comes_back() -> None:
    assert decode(encode(MANIFEST), KEY) == MANIFEST
    assert json.loads(encode(MANIFEST))["digest"]


def test_its_size_is_that_of_all_its_files() -> None:
    assert MANIFEST.size_bytes == 7


def test_what_it_takes_on_a_disk_is_whole_blocks_with_the_manifest_and_the_directory() -> None:
    manifest = len(encode(MANIFEST))
    assert manifest < 4096
    assert MANIFEST.stored_bytes(4096) == 4 * 4096
    assert MANIFEST.stored_bytes(1) == 7 + manifest, "an object in a bucket has neither blocks nor a directory"
    full = replace(MANIFEST, sizes={"a": 4096, "b": 4097})
    assert full.stored_bytes(4096) == (1 + 1 + 1 + 2) * 4096


def test_its_kind_is_read_from_the_pre_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = decode(encode(MANIFEST), KEY)
    assert read.kind == "init"
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("parsed again"))
    assert read.kind == "init"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (signed({"key": KEY}), "cannot be read"),
        (signed({**asdict(MANIFEST), "more": 1}), "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (signed({**asdict(MANIFEST), "preimage": 7}), "cannot be read"),
        (encode(MANIFEST).replace(b'"x"', b'"y"'), "was changed"),
        (encode(MANIFEST) + b" ", "was changed"),
        (encode(MANIFEST).replace(b",", b", ", 1), "was changed"),
        (encode(replace(MANIFEST, preimage='{"kind":"train"}')), "pre-image does not give its key"),
        (encode(replace(MANIFEST, key="0" * 64)), "pre-image does not give its key"),
    ],
)
def test_a_manifest_that_is_not_as_written_is_damage(data: bytes, why: str) -> None:
    with pytest.raises(DamagedError, match=why):
        decode(data, KEY)


def test_damage_is_an_error_that_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(DamagedError(KEY, "a is missing", "Read-only file system")))
    assert (error.key, error.why, error.kept) == (KEY, "a is missing", "Read-only file system")
    assert str(error) == f"artefact {KEY[:12]} is damaged: a is missing"


def test_damage_reports_what_was_done_about_it() -> None:
    assert DamagedError(KEY, "a is missing").fate == "it has been set aside"
    assert DamagedError(KEY, "a is missing", "Permission denied").fate == "it cannot be set aside (Permission denied)"


@pytest.mark.parametrize(
    ("field", "value"), [("energy_j", 3.5), ("resume", "ab" * 32), ("device_class", "cpu/x"), ("threads", 2)]
)
def test_a_manifest_from_before_a_field_existed_is_read(field: str, value: Any) -> None:
    now = replace(MANIFEST, made=replace(MADE, **{field: value}))
    assert decode(encode(now), KEY) == now
    body = asdict(now)
    del body["made"][field]
    assert decode(signed(body), KEY).made == MADE
    assert getattr(MADE, field) is None


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("preimage", ["not JSON", "[]", '"init"', "{}", '{"kind":1}', '{"kind":null}', DEEP])
def test_a_pre_image_that_describes_no_step_is_damage(preimage: str) -> None:
    key = digest(preimage)
    with pytest.raises(DamagedError, match="not one that prunectl writes"):
        decode(encode(replace(MANIFEST, key=key, preimage=preimage)), key)


@pytest.mark.parametrize(
    "changed",
    [
        {"files": ["a"]},
        {"files": {"a": 1}},
        {"sizes": {"a": "3"}},
        {"sizes": {"a": -3}},
        {"made": replace(MADE, wall_s="a while")},  # type: ignore[arg-type]
        {"made": replace(MADE, peak_bytes=True)},
        {"made": replace(MADE, created=None)},  # type: ignore[arg-type]
        {"made": replace(MADE, versions={"torch": 2})},  # type: ignore[dict-item]
        {"made": replace(MADE, energy_j="1")},  # type: ignore[arg-type]
        {"made": replace(MADE, resume=1)},  # type: ignore[arg-type]
    ],
)
def test_values_of_another_type_are_damage(changed: dict[str, Any]) -> None:
    """A manifest of somebody's archive, with a digest that fits, made every listing of the store a traceback."""
    with pytest.raises(DamagedError, match="not one that prunectl writes"):
        decode(encode(replace(MANIFEST, **changed)), KEY)


def test_an_older_artefact_was_made_on_what_is_known_of_it() -> None:
    """Of a GPU everything: its name; of a processor that it was one."""
    assert MADE.hardware_class == HardwareClass(device="cpu")
    assert replace(MADE, device="Tesla T4").hardware_class == HardwareClass(device="cuda/Tesla T4")
    now = replace(MADE, device="Tesla T4", device_class="cuda/Tesla T4", threads=2)
    assert now.hardware_class == HardwareClass(device="cuda/Tesla T4")
    assert replace(MADE, device_class="cpu/x", threads=2).hardware_class == HardwareClass(device="cpu/x", threads=2)
