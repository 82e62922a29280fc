"""A manifest comes back as it was written, or not at all."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, replace
from typing import Any

import pytest

from prunectl.base.keys import canonical, digest
from prunectl.store.hardware import HardwareClass
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGE = '{"kind":"init"}'
KEY = digest(PREIMAGE)
MANIFEST = Manifest(key=KEY, preimage=PREIMAGE, files={"a": "0" * 64}, sizes={"a": 3, "b": 4}, made=MADE)


def signed(body: dict[str, Any]) -> bytes:
    """A manifest with any content and a digest that fits it."""
    return json.dumps({**body, "digest": digest(canonical(body))}).encode()


def test_what_is_written_comes_back() -> None:
    assert decode(encode(MANIFEST), KEY) == MANIFEST
    assert json.loads(encode(MANIFEST))["digest"]


def test_its_size_is_that_of_all_its_files() -> None:
    assert MANIFEST.size_bytes == 7


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
        (encode(MANIFEST).replace(b'"x"', b'"y"'), "was changed"),
        (encode(replace(MANIFEST, preimage='{"kind":"train"}')), "pre-image does not give its key"),
        (encode(replace(MANIFEST, key="0" * 64)), "pre-image does not give its key"),
    ],
)
def test_a_manifest_that_is_not_as_written_is_damage(data: bytes, why: str) -> None:
    with pytest.raises(DamagedError, match=why):
        decode(data, KEY)


def test_damage_is_an_error_that_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(DamagedError(KEY, "a is missing")))
    assert (error.key, error.why) == (KEY, "a is missing")
    assert str(error) == f"artefact {KEY[:12]} is damaged: a is missing"


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


def test_an_older_artefact_was_made_on_what_is_known_of_it() -> None:
    """Of a GPU everything: its name; of a processor that it was one."""
    assert MADE.hardware_class == HardwareClass(device="cpu")
    assert replace(MADE, device="Tesla T4").hardware_class == HardwareClass(device="cuda/Tesla T4")
    now = replace(MADE, device="Tesla T4", device_class="cuda/Tesla T4", threads=2)
    assert now.hardware_class == HardwareClass(device="cuda/Tesla T4")
    assert replace(MADE, device_class="cpu/x", threads=2).hardware_class == HardwareClass(device="cpu/x", threads=2)
