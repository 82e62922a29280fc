"""`--executor ray` with a real Ray: on this machine alone, and with several nodes on it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import TINY, command, environment, prunectl, write_study
from ray_nodes import PROC, below, contents, in_training, kill, trainings

pytest.importorskip("ray")
pytestmark = pytest.mark.skipif(not PROC.exists(), reason="looks for processes in /proc")

STUDY = TINY.replace("seeds = [1, 2]", "seeds = [1]").replace("epochs = 2", "epochs = 60")


def begin(study: Path, store: Path, executor: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("run", study, "--json", "--jobs", "2", "--executor", executor),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(store), **more},
        cwd=store.parent,
    )


def test_a_study_on_ray_survives_its_workers_and_has_the_bits_of_a_local_run(tmp_path: Path) -> None:
    """Every worker is killed in mid-training; stdout stays one JSON document; nothing of Ray is left."""
    study, store, home = write_study(tmp_path, STUDY), tmp_path / "store", tmp_path / "home"
    keys = trainings(study, tmp_path / "planned")
    process = begin(study, store, '{ name = "ray", cpus = 1 }', HOME=str(home), RAY_ADDRESS="")
    try:
        stopped = in_training(process.pid, keys, process)
        ray = [pid for pid, text in below(process.pid).items() if "gcs_server" in text or "raylet" in text]
        kill(stopped)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert stopped and ray
    assert "2 workers: 2 on cpu of" in err
    assert "killed by signal 9, SIGKILL" in err and "it is tried once more" in err
    assert json.loads(out)["steps"]["failed"] == 0
    assert not any((PROC / str(pid)).exists() for pid in ray)
    assert not (home / ".ray").exists(), "Ray left its token in a file"
    prunectl("run", study, "--json", store=tmp_path / "local")
    assert contents(store) == contents(tmp_path / "local")


@contextlib.contextmanager
def node(folder: Path, token: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A node of a Ray cluster with one CPU, and all of its processes below one."""
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block", *options]
    log = folder / f"node-{secrets.token_hex(2)}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*ray, "--num-cpus=1", f"--object-store-memory={80 * 2**20}", "--disable-usage-stats"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token},
        )
    try:
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        kill([process.pid, *below(process.pid)])
        process.wait()


@pytest.mark.cluster
def test_a_node_that_is_killed_in_mid_training_costs_no_bit(tmp_path: Path) -> None:
    """A head and a second node on loopback. All processes of the second are killed; the first ends the study."""
    study, store, token = write_study(tmp_path, STUDY), tmp_path / "store", secrets.token_hex(32)
    keys = trainings(study, tmp_path / "planned")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    head_options = ["--head", f"--port={address.partition(':')[2]}", "--include-dashboard=false"]
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="ray", ignore_cleanup_errors=True) as folder,  # a short path
        node(tmp_path, token, *head_options, f"--temp-dir={folder}") as head,
        node(tmp_path, token, f"--address={address}") as second,
    ):
        process = begin(study, store, "ray", RAY_ADDRESS=address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        try:
            stopped = in_training(second.pid, keys, process)
            kill([second.pid, *below(second.pid)])
            out, err = process.communicate(timeout=500)
        finally:
            process.kill()
        sys.stderr.write(err)
        assert head.poll() is None, "a Ray that was joined is not shut down"
    assert process.returncode == 0, err
    assert stopped
    assert "2 workers: 2 on cpu of" in err and "1 worker: 1 on cpu of" in err
    assert "it is tried once more" in err
    assert json.loads(out)["steps"]["failed"] == 0
    prunectl("run", study, "--json", store=tmp_path / "local")
    assert contents(store) == contents(tmp_path / "local")
