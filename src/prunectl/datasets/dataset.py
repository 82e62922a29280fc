"""Where plug-ins import `Dataset` from; it is declared in `prunectl.catalog.dataset`."""

from __future__ import annotations

from prunectl.catalog.dataset import Arrays, Content, Dataset

__all__ = ["Arrays", "Content", "Dataset"]
