"""How a Ray is joined, or started for one run, and how many actors it gets."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prunectl.base.errors import described
from prunectl.base.text import plural

STORE_BYTES = 80 * 2**20
"""The object store of a Ray that is started here: results travel through prunectl's own store."""
REACH_S = 5.0
"""How long a connection to the address of a Ray may take, in seconds."""
LONGEST_PATH = 40
"""Characters of Ray's folder: with 65 more of Ray's own, a socket's address must not exceed 107 bytes."""


@dataclass(frozen=True, kw_only=True)
class Joining:
    """The first message: which Ray, and what is wanted of it."""

    address: str | None
    """None starts a Ray on this machine."""
    device: str
    jobs: int | None
    workers: int | None
    cpus: int
    threads: int
    cores: int
    """Of this machine, for a Ray that is started here."""
    imports: tuple[str, ...]
    path: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why there can be no actors."""

    message: str
    hint: str | None = None


class RefusedError(Exception):
    """Ends this process with a message for the user."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.refused = Refused(message=message, hint=hint)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many actors there are to be, and what each takes."""

    actors: int
    cpus: float
    gpus: float


def join(joining: Joining) -> None:
    """Join the Ray at an address, or start one that no one else can use. Raises RefusedError."""
    if joining.address is not None:
        reach(joining.address)
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"})
    if joining.address is None:
        os.environ.update(private(joining.path))
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if joining.address is not None:
            ray.init(joining.address, **quiet)
            return
        ray.init(
            "local",
            num_cpus=max(joining.cores, (joining.workers or joining.jobs or 1) * joining.cpus),
            num_gpus=0 if joining.device == "cpu" else None,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            _temp_dir=folder(),
            **quiet,
        )
    except Exception as error:  # Ray raises almost anything
        raise _refused(joining.address, error) from error


def reach(address: str) -> None:
    """Raises RefusedError if nobody answers at HOST:PORT: Ray itself would go on trying for many minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto": Ray looks for one
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise RefusedError(
            f"no Ray can be reached at {address}: {why} (tried for up to {REACH_S:.0f} seconds)",
            "is `ray start --head --port=PORT` running there, and can this machine connect to that port? The address "
            "is that of --executor, or RAY_ADDRESS; without one a Ray is started on this machine",
        ) from None


def _refused(address: str | None, error: Exception) -> RefusedError:
    if address is None:
        return RefusedError(f"a Ray on this machine cannot be started: {described(error)}")
    hint = "is its head node running, and of the same version?"
    return RefusedError(f"the Ray at {address} cannot be joined: {described(error)}", hint)


def private(path: Sequence[str]) -> dict[str, str]:
    """The environment of a Ray of our own: a token that is in no file, and our modules found by its processes."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
    }


def folder() -> str:
    """Ray's folder for logs and sockets: the usual one, unless its path is too long for sockets in it."""
    usual = str(Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / "ray")
    return usual if len(usual) <= LONGEST_PATH else "/tmp/ray"


def size(joining: Joining, nodes: Sequence[dict[str, float]]) -> Size:
    """The actors that fit into a cluster. Raises RefusedError if none does."""
    gpus = sum(int(node.get("GPU", 0)) for node in nodes)
    on_gpu = joining.device == "cuda" or (joining.device == "auto" and gpus > 0)
    share = 1 / (joining.jobs or 1) if on_gpu else 0.0
    fitting = sum(_fitting(joining, node, on_gpu) for node in nodes)
    if not fitting and joining.workers is None:
        each = f"{plural(joining.cpus, 'CPU')}" + (" and a GPU" if on_gpu else "")
        has = ", ".join(
            f"{plural(int(node.get('CPU', 0)), 'CPU')} and {plural(int(node.get('GPU', 0)), 'GPU')}" for node in nodes
        )
        raise RefusedError(
            f"no node of the Ray cluster has {each} for a worker; its nodes have {has}",
            "use another --device or fewer cpus, or `workers` to wait for nodes that an autoscaler adds",
        )
    return Size(actors=joining.workers or fitting, cpus=joining.cpus, gpus=share)


def _fitting(joining: Joining, node: dict[str, float], on_gpu: bool) -> int:
    by_cpus = int(node.get("CPU", 0) // joining.cpus)
    if on_gpu:
        return min(int(node.get("GPU", 0)) * (joining.jobs or 1), by_cpus)
    return min(joining.jobs or by_cpus, by_cpus)
