"""Whole studies on a GPU: workers, several of them on one GPU, and the same results as by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import write_study
from prunectl.api.machine import Machine
from prunectl.api.run import Completed, complete
from prunectl.api.session import open_study
from small import SMALL


def run(folder: Path, jobs: int, text: str = SMALL) -> Completed:
    folder.mkdir()
    return complete(open_study(write_study(folder, text), store=folder / "store"), Machine(device="cuda", jobs=jobs))


def digests(folder: Path) -> dict[str, str]:
    """Of every state and mask in a store."""
    from prunectl.store.atomic import sha256

    return {
        "/".join(file.parts[-2:]): sha256(file)
        for file in folder.glob("store/objects/*/*/*.safetensors")
        if file.name != "scores.safetensors"
    }


def test_several_workers_on_one_gpu_leave_the_bytes_of_one(tmp_path: Path) -> None:
    run(tmp_path / "one", 1)
    run(tmp_path / "three", 3)
    alone, together = digests(tmp_path / "one"), digests(tmp_path / "three")
    assert alone
    assert alone == together


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_a_study_in_another_precision_runs(tmp_path: Path, precision: str) -> None:
    text = SMALL.replace("lr = 0.05", f'lr = 0.05\nprecision = "{precision}"')
    session = open_study(write_study(tmp_path, text), store=tmp_path / "store")
    complete(session, Machine(device="cuda", jobs=1))
    manifests = [file.read_text() for file in tmp_path.glob("store/objects/*/*/manifest.json")]
    assert manifests and all('"cuda/' in text for text in manifests)
