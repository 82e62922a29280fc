"""`prunectl cache export` and `import`: artefacts in one file, from one machine's store into another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import STORE
from prunectl.base.text import size
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.session import open_session, open_store

Archive = Annotated[Path, typer.Argument(metavar="FILE", help="The archive: .tar, .tar.gz or .tgz.")]


def export(
    file: Archive,
    studies: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[STUDY]...", help="Only what these studies need.", show_default=False),
    ] = None,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    store: options.Store = None,
    data: options.Data = None,
    json_: options.Json = False,
) -> None:
    """Write the artefacts that studies need into one archive; all that there are, if no study is named.

    Every byte is checked on the way. Failures, and trainings that are under way, stay behind.
    """
    from prunectl.store import archive
    from prunectl.store.local import DamagedError

    archive.check_suffix(file)
    room = open_store(store)
    wanted = set(room.keys()) if not studies else set()
    for path in studies or ():
        wanted |= set(open_session(path, overrides=set_, profile=profile, store=store, data=data).plan.steps)
    damaged, sound = {}, []
    for key in sorted(wanted):
        try:
            room.fetch(key)
            sound.append(key)
        except KeyError:
            continue
        except DamagedError as error:
            damaged[key] = error.why
            say(f"{error}; it has been set aside, and is not in the archive")
    archive.write(file, room, sound)
    missing = len(wanted) - len(sound)
    if json_:
        answer_json(
            {
                "file": str(file),
                "size_bytes": file.stat().st_size,
                "artefacts": len(sound),
                "missing": missing,
                "damaged": damaged,
            }
        )
    else:
        answer(f"{file}: {len(sound)} artefacts, {size(file.stat().st_size)}")
        if missing:
            say(f"{missing} of {len(wanted)} steps have no artefact yet: whoever runs the study there makes them")
    if damaged:
        raise typer.Exit(STORE)


def import_(file: Archive, store: options.Store = None, json_: options.Json = False) -> None:
    """Take the artefacts of an archive into the store, each verified; what is there already is left as it is.

    An archive that is damaged, cut short or holds anything else is refused, and nothing of it is taken.
    """
    from prunectl.store import archive

    room = open_store(store)
    new, there = archive.read(file, room)
    if json_:
        answer_json({"file": str(file), "store": str(room.root), "imported": new, "there": there})
        return
    answer(f"{room.root}: {len(new)} artefacts imported, {len(there)} were there already")
