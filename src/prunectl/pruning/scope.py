"""Where plug-ins import `Scope` from; it is declared in `prunectl.catalog.scope`."""

from __future__ import annotations

from prunectl.catalog.scope import Groups, Scope, Shapes, removed

__all__ = ["Groups", "Scope", "Shapes", "removed"]
