"""`prunectl cache export`: artefacts in one file, to carry them to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import STORE
from prunectl.base.text import plural, size
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, NeededBy, Variant, options

Archive = Annotated[Path, typer.Argument(metavar="FILE", help="The archive: .tar, .tar.gz or .tgz.")]


@options
def export(file: Archive, variant: Variant, studies: NeededBy = None, json_: Json = False) -> None:
    """Write the artefacts that studies need to one archive.

    Without a study, all artefacts are written. Every byte is verified. Failures, and snapshots of trainings under way,
    are not included.
    """
    from prunectl.api.carry import pack
    from prunectl.store.archive import check_suffix

    check_suffix(file)  # before a study is planned
    sessions = [variant.open(study) for study in studies] if studies else None
    packed = pack(file, variant.open_store(), sessions)
    for key, why in packed.damaged.items():
        say(f"artefact {key[:12]} is damaged ({why}), and is not in the archive")
    if json_:
        answer_json(
            {
                "file": str(file),
                "size_bytes": packed.size_bytes,
                "artefacts": len(packed.keys),
                "missing": packed.missing,
                "damaged": packed.damaged,
            }
        )
    else:
        answer(f"{file}: {plural(len(packed.keys), 'artefact')}, {size(packed.size_bytes)}")
        if packed.missing:
            say(
                f"{packed.missing:,} of {plural(packed.needed, 'step')} have no artefact yet; "
                "running the study on the other machine will compute them"
            )
    if packed.damaged:
        raise typer.Exit(STORE)
