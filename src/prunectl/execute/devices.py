"""The devices of the machine that a step runs on."""

from __future__ import annotations

import os
from pathlib import Path

from prunectl.base.errors import PrunectlError

KINDS = ("auto", "cpu", "cuda")


def kind_and_places(asked: str) -> tuple[str, list[int]]:
    """What '--device' names: auto, cpu or cuda, and which GPUs; an empty list is all of them.

    Raises PrunectlError for what is no device anywhere.
    """
    kind, _, places = asked.partition(":")
    wanted = places.split(",") if ":" in asked else []
    if kind not in KINDS or (wanted and kind != "cuda") or not all(map(str.isdigit, wanted)):
        raise PrunectlError(f"no device {asked!r}; a device is auto, cpu, cuda (every GPU), or cuda:0, cuda:0,2, ...")
    return kind, [int(place) for place in dict.fromkeys(wanted)]


def likely_devices(asked: str) -> tuple[str, ...]:
    """What `resolve_devices` most likely gives, without importing torch: the driver's GPUs, as far as they are visible.

    Raises PrunectlError for what is no device anywhere.
    """
    kind, wanted = kind_and_places(asked)
    gpus = [] if kind == "cpu" else sorted(Path("/dev").glob("nvidia[0-9]*"))
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        gpus = gpus[: len([name for name in visible.split(",") if name.strip() not in ("", "-1")])]
    places = wanted or range(len(gpus))
    return tuple(f"cuda:{place}" for place in places) or (("cuda",) if kind == "cuda" else ("cpu",))


def resolve_devices(asked: str) -> tuple[str, ...]:
    """`cuda` is every GPU that torch can use, `cuda:0,2` are two of them; `auto` is every GPU, else the CPU.

    Raises PrunectlError for a device that does not exist.
    """
    kind, wanted = kind_and_places(asked)
    if kind == "cpu" or (kind == "auto" and not Path("/dev/nvidiactl").exists()):
        return ("cpu",)
    import torch  # only on machines with a GPU, or where CUDA is asked for

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    chosen = wanted or list(range(count))
    if chosen and max(chosen) < count:
        return tuple(f"cuda:{place}" for place in chosen)
    if kind == "auto":
        return ("cpu",)
    raise PrunectlError(
        f"no device {asked!r} on this machine: torch {torch.__version__} finds {count} CUDA devices",
        hint="use --device cpu, or install a torch built for this machine's driver",
    )
