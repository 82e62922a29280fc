"""`prunectl cache`: the commands about the store, one per file."""

from __future__ import annotations

import typer

from prunectl.cli.cache import export, gc, import_, ls, pull, push, rm, runs, show, verify

app = typer.Typer(
    help="The store: list, show, verify; delete what no run needs; carry artefacts to another machine.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("ls")(ls.ls)
app.command("show")(show.show)
app.command("verify")(verify.verify)
app.command("runs")(runs.runs)
app.command("rm")(rm.rm)
app.command("gc")(gc.gc)
app.command("export")(export.export)
app.command("import")(import_.import_)
app.command("push")(push.push)
app.command("pull")(pull.pull)
