"""`prunectl cache`: the commands about the store, one per file."""

from __future__ import annotations

import typer

from prunectl.cli.cache import export, gc, import_, ls, pull, push, rm, runs, show, verify
from prunectl.cli.help import Command, Group

app = typer.Typer(
    cls=Group,
    help="Look into the store, clean it up, carry artefacts elsewhere.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("ls", cls=Command)(ls.ls)
app.command("show", cls=Command)(show.show)
app.command("verify", cls=Command)(verify.verify)
app.command("runs", cls=Command)(runs.runs)
app.command("rm", cls=Command)(rm.rm)
app.command("gc", cls=Command)(gc.gc)
app.command("export", cls=Command)(export.export)
app.command("import", cls=Command)(import_.import_)
app.command("push", cls=Command)(push.push)
app.command("pull", cls=Command)(pull.pull)
