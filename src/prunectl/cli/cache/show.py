"""`prunectl cache show`: one artefact."""

from __future__ import annotations

from typing import Annotated

import typer

from prunectl.cli import complete
from prunectl.cli.console import answer_json
from prunectl.cli.options import Store, options

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="A key, or the beginning of one.", autocompletion=complete.artefacts)
]


@options
def show(key: Key, store: Store = None) -> None:
    """Show one artefact as JSON.

    What it is (its pre-image), how it was made, its files and their digests.
    """
    from prunectl.api.cache import described
    from prunectl.api.session import open_store

    answer_json(described(open_store(store), key))
