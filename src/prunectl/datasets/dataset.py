"""The import path of `Dataset` for plug-ins; it is declared in `prunectl.catalog.dataset`."""

from __future__ import annotations

from prunectl.catalog.dataset import Arrays, Content, Dataset

__all__ = ["Arrays", "Content", "Dataset"]
