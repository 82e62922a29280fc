"""Where plug-ins import `Model` from; it is declared in `prunectl.catalog.model`."""

from __future__ import annotations

from prunectl.catalog.model import Model

__all__ = ["Model"]
