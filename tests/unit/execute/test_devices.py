"""The devices of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.execute.devices import kind_and_places, likely_devices, resolve_devices


@pytest.mark.parametrize("asked", ["tpu", "cuda:x", "cuda:", "cuda:0,", "cpu:1", ""])
def test_what_is_not_a_device_is_refused(asked: str) -> None:
    with pytest.raises(PrunectlError, match="no device"):
        resolve_devices(asked)


def test_a_gpu_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PrunectlError, match="CUDA devices") as raised:
        resolve_devices("cuda:1000")
    assert raised.value.hint is not None and "--device cpu" in raised.value.hint


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with three GPUs, as far as torch is asked."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("asked", "devices"),
    [
        ("cuda", ("cuda:0", "cuda:1", "cuda:2")),
        ("cuda:1", ("cuda:1",)),
        ("cuda:0,2", ("cuda:0", "cuda:2")),
        ("cuda:2,2", ("cuda:2",)),
        ("cpu", ("cpu",)),
    ],
)
def test_every_gpu_or_some_of_them_can_be_asked_for(asked: str, devices: tuple[str, ...]) -> None:
    assert resolve_devices(asked) == devices


@pytest.mark.usefixtures("gpus")
def test_a_gpu_that_is_one_too_many_is_refused() -> None:
    with pytest.raises(PrunectlError, match="finds 3 CUDA devices"):
        resolve_devices("cuda:0,3")


def test_what_is_asked_for_can_be_read_without_torch() -> None:
    assert kind_and_places("cuda:2,0,2") == ("cuda", [2, 0])
    assert kind_and_places("auto") == ("auto", [])


@pytest.mark.parametrize(
    ("asked", "visible", "devices"),
    [
        ("auto", None, ("cuda:0", "cuda:1")),
        ("cuda", "1", ("cuda:0",)),
        ("auto", "", ("cpu",)),
        ("auto", "-1", ("cpu",)),
        ("cuda", "", ("cuda",)),
        ("cuda:0,2", None, ("cuda:0", "cuda:2")),
        ("cpu", None, ("cpu",)),
    ],
)
def test_a_plan_counts_the_gpus_of_the_driver(
    asked: str, visible: str | None, devices: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [self / "nvidia1", self / "nvidia0"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert likely_devices(asked) == devices
