"""The manifest of an artefact: what it is, the digest of each file, and how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property

from prunectl.base.keys import digest
from prunectl.store.hardware import CPU, HardwareClass
from prunectl.store.sealed import seal, unseal


class DamagedError(Exception):
    """An artefact that does not match its key. It has been set aside, or cannot be; nothing may use it."""

    def __init__(self, key: str, why: str, kept: str | None = None) -> None:
        super().__init__(f"artefact {key[:12]} is damaged: {why}")
        self.key = key
        self.why = why
        self.kept = kept
        """Why it cannot be set aside; None if it was."""

    @property
    def fate(self) -> str:
        """What was done about it, to follow the message."""
        return "it has been set aside" if self.kept is None else f"it cannot be set aside ({self.kept})"

    def __reduce__(self) -> tuple[type[DamagedError], tuple[str, str, str | None]]:
        return DamagedError, (self.key, self.why, self.kept)


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

    def stored_bytes(self, block_bytes: int) -> int:
        """What the artefact takes where it is stored: its files, its manifest and its directory, in whole blocks.

        With blocks of one byte, as in a bucket, there is no directory.
        """
        sizes = [*self.sizes.values(), len(encode(self))]
        directory = block_bytes if block_bytes > 1 else 0
        return directory + sum(-(-size // block_bytes) * block_bytes for size in sizes)


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON. It includes a digest of itself, so that any changed byte is detected."""
    return seal(asdict(manifest))


def decode(data: bytes, key: str) -> Manifest:
    """The manifest of `key`. Raises DamagedError unless every byte is as written and it belongs to the key."""
    try:
        body = unseal(data)
    except ValueError as error:
        raise DamagedError(key, f"its manifest {error}") from error
    try:
        manifest = Manifest(**{**body, "made": Made(**body["made"])})
        own = manifest.key == key == digest(manifest.preimage)
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedError(key, "its manifest cannot be read") from error
    if not own:
        raise DamagedError(key, "its pre-image does not give its key")
    if not _is_well_formed(manifest):
        raise DamagedError(key, "its manifest is not one that prunectl writes")
    return manifest


def _is_well_formed(manifest: Manifest) -> bool:
    """Whether everything that is read from a manifest later has its type: it may come from anybody's archive."""
    try:
        preimage = json.loads(manifest.preimage)
    except (ValueError, RecursionError):
        return False
    made = manifest.made
    tables = (manifest.files, manifest.sizes, made.versions)
    return (
        isinstance(preimage, dict)
        and isinstance(preimage.get("kind"), str)
        and all(isinstance(table, dict) for table in tables)
        and all(isinstance(value, str) for value in [*manifest.files.values(), *made.versions.values()])
        and all(_is_number(size) and size >= 0 for size in manifest.sizes.values())
        and all(_is_number(value) for value in (made.wall_s, made.cpu_s, made.peak_bytes))
        and all(isinstance(value, str) for value in (made.device, made.hardware, made.created))
        and (made.energy_j is None or _is_number(made.energy_j))
        and all(value is None or isinstance(value, str) for value in (made.resume, made.device_class))
        and (made.threads is None or _is_number(made.threads))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
