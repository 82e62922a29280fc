"""What one catalogue is: what its entries are called, the class that all of them are, and which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prunectl.catalog.referenced import PATTERN


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One catalogue: what one of its entries is called, the class that all of them are, and our own entries."""

    one: str
    kind: str
    entries: Mapping[str, str]
    bare: bool = False
    """Whether every entry is used, without parameters, in every study."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """What gives entries by a name that follows a colon: the library → 'module:function'."""
    in_files: bool = True
    """Whether a study may name one in a file of its own, "file:FILE.py:CLASS"."""

    @property
    def patterns(self) -> Mapping[str, str]:
        """The names that are not listed: regular expressions, each with what it names."""
        named = {f"^{library}:.+$": f"{self.one} of {library}: {library}:NAME" for library in self.libraries}
        return {**named, **({PATTERN: f"{self.one} in a file: file:FILE.py:CLASS"} if self.in_files else {})}
