"""What this machine can do: versions, devices, the store, the data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.listing import broken
from prunectl.api.machine import cores
from prunectl.api.session import Place, advice, data_root, open_store
from prunectl.api.settings import settings_file
from prunectl.base import ctrl_c
from prunectl.base.errors import PrunectlError, described
from prunectl.base.text import size
from prunectl.base.version import __version__
from prunectl.catalog.importing import same_directory, stdout_on_stderr

if TYPE_CHECKING:
    from prunectl.catalog.dataset import Dataset


def findings(store: Place | None = None, data: Place | None = None) -> dict[str, Any]:
    """What was found, by name, in words and numbers for people."""
    import platform
    from importlib.metadata import version

    import torch

    from prunectl.execute.energy import counters

    opened, root = open_store(store), data_root(None, Path(), None if data is None else Path(data))
    free = f"{size(opened.free_bytes)} free"
    return {
        "prunectl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in ("polars", "altair", "pydantic")},
        "cores": cores(),
        "CUDA devices": ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())) or "none",
        "energy counters": counters(),
        "store": str(opened) if opened.url else f"{opened} ({free})",
        **({"its place": advised} if (advised := advice(opened)) else {}),
        **({"copies of it": f"{opened.root} ({free})"} if opened.url else {}),
        "data": str(root),
        "settings": str(settings_file()) + ("" if settings_file().exists() else " (no such file)"),
        **data_sets(root),
        **{f"plug-in {name}": why for name, why in broken().items()},
    }


def data_sets(root: Path) -> dict[str, str]:
    """What is found under a root of each data set that has a usual place there."""
    from prunectl.catalog import lookup
    from prunectl.catalog.dataset import Dataset

    found = {}
    for kind in lookup.working("datasets", Dataset):
        needs = [name for name, field in kind.model_fields.items() if field.is_required()]
        if not kind.needs_root and not needs:
            found[f"data set {kind.name}"] = _looked(kind, root)
    return found


def _looked(kind: type[Dataset], root: Path) -> str:
    try:
        with stdout_on_stderr(), same_directory():
            return looked(kind(), root)
    except PrunectlError as error:  # missing or damaged
        return error.message.partition(" (looked for")[0]
    except BaseException as error:  # a third party's data set may raise anything
        ctrl_c.pass_on(error)
        return f"cannot be read: {described(error)}"


def looked(dataset: Dataset, root: Path) -> str:
    """That a data set is found and is the original. Raises DataError if it is not."""
    from prunectl.datasets.content import content_of

    if dataset.in_files:
        content = content_of(dataset, root)
        sizes = f"{content.train_size:,} + {content.test_size:,} pictures"
        return f"found, {sizes} of {content.classes} classes (not opened)"
    from prunectl.datasets.load import load

    load(dataset, root)
    return "found, checksum OK"
