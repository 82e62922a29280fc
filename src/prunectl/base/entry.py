"""What a catalogue holds: a method, network or data set, described so that it can be read without torch.

The fields of an entry are its parameters, with their types, ranges and defaults; its class variables are what
the study and the planner must know of it. The work itself is a method that imports torch when it is called.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """One entry of a catalogue with its parameters chosen. Frozen, hashable, comparable."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str]
    """The name in the catalogue, as study files write it."""
    summary: ClassVar[str]
    """One line for `prunectl list`."""
    version: ClassVar[int] = 1
    """Raised when the same parameters come to mean another result; part of every key."""

    def preimage(self) -> dict[str, Any]:
        """Everything that tells this entry from another: name, version and every parameter, defaults included."""
        return {"name": self.name, "version": self.version, **self.model_dump(mode="json")}

    def label(self) -> str:
        """The name, with the parameters that are not at their defaults: `snip(samples_per_class=1)`."""
        changed = self.model_dump(mode="json", exclude_defaults=True)
        inner = ", ".join(f"{key}={value}" for key, value in changed.items())
        return f"{self.name}({inner})" if inner else self.name
