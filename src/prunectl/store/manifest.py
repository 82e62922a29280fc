"""The manifest of an artefact: what it is, the digest of each file, and how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from prunectl.base.keys import canonical, digest
from prunectl.store.hardware import CPU, HardwareClass


class DamagedError(Exception):
    """An artefact that does not match its key. It has been set aside; nothing may use it."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"artefact {key[:12]} is damaged: {why}")
        self.key = key
        self.why = why

    def __reduce__(self) -> tuple[type[DamagedError], tuple[str, str]]:
        return DamagedError, (self.key, self.why)


@dataclass(frozen=True, kw_only=True)
class Made:
    """How an artefact was made. Nothing here is part of its identity."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    device: str
    hardware: str
    versions: dict[str, str]
    created: str  # ISO 8601, UTC
    energy_j: float | None = None  # from a hardware counter, see execute/energy.py; None where none was read
    resume: str | None = None
    """The key of the earlier state that a training resumed from, "" if it started fresh; None if not recorded."""
    device_class: str | None = None
    """The device as `HardwareClass` has it; None if not recorded."""
    threads: int | None = None
    """CPU threads of the step; None if not recorded."""

    @property
    def hardware_class(self) -> HardwareClass:
        """What decides the last bits, as far as it was recorded. Of a GPU always its name."""
        if self.device != CPU:
            return HardwareClass(device=self.device_class or f"cuda/{self.device}")
        return HardwareClass(device=self.device_class or CPU, threads=self.threads)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an artefact is and how it was made.

    The pre-image stays a text inside the JSON of the manifest: its bytes are what the key is the digest of.
    """

    key: str
    preimage: str
    """The canonical JSON text whose SHA-256 is the key."""
    files: dict[str, str]
    """File names with the SHA-256 of each file, in hex."""
    made: Made
    sizes: dict[str, int] = field(default_factory=dict)
    """File names with the size of each file in bytes."""

    @cached_property
    def kind(self) -> str:
        """The kind of step that made it."""
        return str(json.loads(self.preimage)["kind"])

    @property
    def size_bytes(self) -> int:
        """The size of all files together, without the manifest."""
        return sum(self.sizes.values())


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON. It includes a digest of itself, so that any flipped bit is detected."""
    body = asdict(manifest)
    return (json.dumps({**body, "digest": digest(canonical(body))}, indent=1, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, key: str) -> Manifest:
    """The manifest of `key`. Raises DamagedError unless every byte is as written and it belongs to the key."""
    try:
        body: dict[str, Any] = json.loads(data)
        stated = body.pop("digest")
        unchanged = digest(canonical(body)) == stated
        manifest = Manifest(**{**body, "made": Made(**body["made"])})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(key, "its manifest cannot be read") from error
    if not unchanged:
        raise DamagedError(key, "its manifest was changed")
    if manifest.key != key or digest(manifest.preimage) != key:
        raise DamagedError(key, "its pre-image does not give its key")
    return manifest
