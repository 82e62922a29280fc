"""`prunectl data`: which data sets are on this machine, and downloading one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from prunectl.base.text import UNKNOWN, size
from prunectl.cli import complete
from prunectl.cli.columns import with_sentences
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.help import Command, Group
from prunectl.cli.options import Data, Json, options

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A data set of `prunectl data ls`.", autocompletion=complete.datasets)
]


@options
def ls(data: Data = None, json_: Json = False) -> None:
    """List the data sets, and which are on this machine.

    Files are looked for, and not read; `prunectl doctor` reads and verifies them.
    """
    from prunectl.api.data import listed, root_of

    found = listed(data)
    if json_:
        answer_json({"data": str(root_of(data)), "datasets": [asdict(each) for each in found]})
        return
    rows = [
        (
            each.name,
            "yes" if each.found else "no",
            UNKNOWN if each.classes is None else f"{each.classes:,}",
            f"{each.train_size or 0:,} + {each.test_size or 0:,}",
            size(each.download_bytes),
            each.where.partition(" (looked for")[0],
        )
        for each in found
    ]
    for line in with_sentences(["data set", "here", "classes", "images", "download", "where"], rows):
        answer(line)
    say(f"\nThe data directory is {root_of(data)}; another one: --data DIR or PRUNECTL_DATA.")
    say("Get one: prunectl data get NAME")


@options
def get(name: Name, data: Data = None) -> None:
    """Download a data set and verify it.

    One that is there already is only verified. torchvision downloads it to the data directory.
    """
    from prunectl.api.data import absent, named, provided, root_of

    dataset, root = named(name), root_of(data)
    if absent(dataset, root):
        say(f"downloading {name} ({size(dataset.download_bytes)}) to {root}")
    where = provided(dataset, root)
    answer(f"{name}: {'included in prunectl' if where is None else where}, checked")


app = typer.Typer(
    cls=Group, help="Data sets on this machine: list them, download one.", rich_markup_mode=None, no_args_is_help=True
)
app.command("ls", cls=Command)(ls)
app.command("get", cls=Command)(get)
