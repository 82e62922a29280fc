"""Options that several commands share. Nothing heavy is imported here: `--help` and completion stay instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file (TOML).", show_default=False)]
Set = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the study, e.g. train.epochs=2.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Apply the overrides of [profile.NAME].")
]
Only = Annotated[
    str | None,
    typer.Option("--only", metavar="SELECTOR", help="Only some trials, e.g. 'criterion=snip,sparsity=0.9'."),
]
Store = Annotated[
    Path | None, typer.Option("--store", envvar="PRUNECTL_STORE", metavar="DIR", help="Where artefacts are kept.")
]
Data = Annotated[
    Path | None, typer.Option("--data", envvar="PRUNECTL_DATA", metavar="DIR", help="Where data sets lie.")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="Steps at once [default: one a core, or one a GPU]."),
]
Threads = Annotated[
    int, typer.Option("--threads", min=1, metavar="N", help="CPU threads of each step; other numbers, other last bits.")
]
Device = Annotated[str, typer.Option("--device", metavar="auto|cpu|cuda[:i]", help="Where steps run.")]
Executor = Annotated[str, typer.Option("--executor", metavar="NAME", help="How steps are run: local.")]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed for good.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what is asked for.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
