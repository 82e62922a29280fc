"""Importing what a command needs at its end while it waits for its workers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

REPORT = ("prunectl.results.gather", "prunectl.results.claims", "prunectl.report.text", "prunectl.report.page")
"""The table and the page: half a second of imports, with polars and altair."""


def import_ahead(modules: Sequence[str]) -> threading.Thread:
    """Import modules in a thread of its own. What does not import raises where it is used, not here."""

    def work() -> None:
        for module in modules:
            with suppress(Exception):
                import_module(module)

    thread = threading.Thread(target=work, name="import ahead")
    thread.start()
    return thread
