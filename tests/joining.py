"""What a driver asks of a Ray, for tests."""

from __future__ import annotations

from typing import Any

from prunectl.execute.ray_joining import Joining


def joining(**changes: Any) -> Joining:
    usual: dict[str, Any] = {
        "address": "head:6379", "device": "auto", "jobs": None, "workers": None, "cpus": 1, "threads": 1, "cores": 2,
        "imports": (), "path": (),
    }  # fmt: skip
    return Joining(**{**usual, **changes})
