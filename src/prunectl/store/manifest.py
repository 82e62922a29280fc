"""What stands beside every artefact: what it is, the digest of each file, and how it came to be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from prunectl.base.keys import canonical, digest


class DamagedError(Exception):
    """An artefact that is not what its key says. It has been set aside; nothing may use it."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"artefact {key[:12]} is damaged: {why}")
        self.key = key
        self.why = why

    def __reduce__(self) -> tuple[type[DamagedError], tuple[str, str]]:
        return DamagedError, (self.key, self.why)


@dataclass(frozen=True, kw_only=True)
class Made:
    """How an artefact came to be: nothing here is part of its identity."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    device: str
    hardware: str
    versions: dict[str, str]
    created: str  # ISO 8601, UTC
    energy_j: float | None = None  # by a counter, see execute/energy.py; None where none was read
    resume: str | None = None
    """The key of the earlier state that a training was taken up from, "" if of none; None where it was not kept."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`preimage` is the canonical JSON text whose SHA-256 is the key; `files` maps names to SHA-256 digests."""

    key: str
    preimage: str
    files: dict[str, str]
    made: Made
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of step that made it."""
        return str(json.loads(self.preimage)["kind"])

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(self.sizes.values())


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON, with a digest of itself, so that a flipped bit anywhere in it shows."""
    body = asdict(manifest)
    return (json.dumps({**body, "digest": digest(canonical(body))}, indent=1, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, key: str) -> Manifest:
    """The manifest of `key`. Raises DamagedError unless every byte is as written and it belongs to the key."""
    try:
        body: dict[str, Any] = json.loads(data)
        stated = body.pop("digest")
        whole = digest(canonical(body)) == stated
        manifest = Manifest(**{**body, "made": Made(**body["made"])})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(key, "its manifest cannot be read") from error
    if not whole:
        raise DamagedError(key, "its manifest was changed")
    if manifest.key != key or digest(manifest.preimage) != key:
        raise DamagedError(key, "its pre-image does not give its key")
    return manifest
