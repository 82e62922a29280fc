"""`prunectl cache`: look into the store, check it, make room; see archive.py for taking it elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from prunectl.base.errors import STORE, PrunectlError
from prunectl.base.text import seconds, size
from prunectl.cli import archive, options
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.session import open_session, open_store

app = typer.Typer(
    help="The store: list, show, verify, collect what no study needs, carry artefacts to another machine.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("export")(archive.export)
app.command("import")(archive.import_)


@app.command("ls")
def ls(store: options.Store = None, json_: options.Json = False) -> None:
    """List the artefacts: kind, size, time they took, when they were made."""
    from prunectl.store.local import DamagedError

    room = open_store(store)
    rows: list[dict[str, Any]] = []
    for key in room.keys():  # noqa: SIM118  # a store is not a dict
        try:
            found = room.manifest(key)
        except DamagedError as error:
            say(f"{error}; it has been set aside")
            continue
        rows.append(
            {
                "key": key,
                "kind": found.kind,
                "size_bytes": found.size_bytes,
                "wall_s": found.made.wall_s,
                "created": found.made.created,
            }
        )
    if json_:
        answer_json({"store": str(room.root), "artefacts": rows})
        return
    for row in rows:
        answer(
            f"{row['key'][:16]}  {row['kind']:<12}  {size(row['size_bytes']):>9}  {seconds(row['wall_s']):>8}  "
            f"{row['created']}"
        )
    kinds = Counter(row["kind"] for row in rows)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
    say(f"{room.root}: {told}; {size(sum(row['size_bytes'] for row in rows))}")


@app.command("show")
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key, or the beginning of one.")],
    store: options.Store = None,
) -> None:
    """Show one artefact: what it is (its pre-image), how it was made, its files and their digests."""
    import json
    from dataclasses import asdict

    room = open_store(store)
    matches = [found for found in room.keys() if found.startswith(key.lower())]  # noqa: SIM118
    if len(matches) != 1:
        raise PrunectlError(
            f"{len(matches) or 'no'} artefacts begin with {key!r}", hint="`prunectl cache ls` lists the keys"
        )
    manifest = room.manifest(matches[0])
    answer_json({**asdict(manifest), "preimage": json.loads(manifest.preimage), "path": str(room.fetch(matches[0]))})


@app.command("verify")
def verify(store: options.Store = None, json_: options.Json = False) -> None:
    """Check every byte of every artefact. What is damaged is set aside, and made again by the next run."""
    from prunectl.store.local import DamagedError

    room = open_store(store)
    sound, damaged = 0, {}
    for key in room.keys():  # noqa: SIM118
        try:
            room.fetch(key)
            sound += 1
        except DamagedError as error:
            damaged[key] = error.why
    if json_:
        answer_json({"sound": sound, "damaged": damaged})
    else:
        for key, why in damaged.items():
            answer(f"damaged: {key[:16]}: {why}; set aside")
        answer(f"{sound} artefacts are sound, {len(damaged)} damaged")
    if damaged:
        raise typer.Exit(STORE)


@app.command("gc")
def gc(
    keep: Annotated[
        list[Path], typer.Argument(metavar="STUDY...", help="Studies whose artefacts are kept.", show_default=False)
    ],
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    store: options.Store = None,
    data: options.Data = None,
) -> None:
    """Delete every artefact that none of the given studies needs, and what was set aside."""
    from prunectl.store import layout
    from prunectl.store.atomic import remove_tree

    room = open_store(store)
    needed: set[str] = set()
    for path in keep:
        session = open_session(path, overrides=set_, profile=profile, store=store, data=data)
        needed |= set(session.plan.steps)
    gone = [key for key in room.keys() if key not in needed]  # noqa: SIM118
    freed = sum(room.size_bytes(key) for key in gone)
    if not dry_run:
        for key in gone:
            room.delete(key)
            remove_tree(room.snapshots(key))
        remove_tree(room.root / layout.ASIDE)
    answer(f"{'would free' if dry_run else 'freed'} {size(freed)}: {len(gone)} artefacts")
