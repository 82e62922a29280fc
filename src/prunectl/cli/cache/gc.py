"""`prunectl cache gc`: delete what no study needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.text import plural, size
from prunectl.cli.console import answer
from prunectl.cli.options import Variant, options

Keep = Annotated[
    list[Path], typer.Argument(metavar="STUDY...", help="Studies whose artefacts are kept.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only report what would be deleted.")]


@options
def gc(keep: Keep, variant: Variant, dry_run: DryRun = False) -> None:
    """Delete every artefact that none of the given studies needs, and everything that was set aside."""
    from prunectl.api.cache import collect

    sessions = [variant.open(study) for study in keep]
    collected = collect(variant.open_store(), sessions, dry_run=dry_run)
    freed = "would free" if dry_run else "freed"
    answer(f"{freed} {size(collected.size_bytes)}: {plural(len(collected.keys), 'artefact')}")
