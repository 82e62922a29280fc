"""What plug-ins may register: entries that are right, and all that can be wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.entry import Absent, Entry
from prunectl.catalog.scope import Scope
from prunectl.catalog.values import At, Budget, Length, Many, Moment, When, catalogued

if TYPE_CHECKING:
    from torch import Tensor


class Blur(Augmentation):
    name = "blur"
    summary = "neighbouring pixels are averaged"

    radius: Annotated[float, Field(ge=0, le=10)] = 1.0
    kernel: tuple[int, ...] = (1, 2, 1)

    def apply(self, images_NCHW: Tensor, drawn: Tensor) -> Tensor:
        return images_NCHW


class Renamed(Augmentation):
    name = "another"
    summary = "carries another name than it is registered under"


class Nameless(Augmentation):
    summary = "has no name"


class Other(Scope):
    name = "other"
    summary = "is of another kind"


class Inner(Entry):
    name: ClassVar[str] = "inner"
    summary: ClassVar[str] = "is held by another"
    version: ClassVar[int] = 3

    rate: float = 0.5
    count: int = 1


class Outer(Entry):
    name: ClassVar[str] = "outer"
    summary: ClassVar[str] = "holds entries and tables"

    blur: Annotated[Augmentation, *catalogued("augmentations")] = Blur()
    inner: Inner = Inner()
    to: When = "end"
    at: At = "init"
    length: Length | None = None
    budget: Many[Budget] = (1.0,)
    moments: tuple[Moment, ...] = ()
    later: Annotated[float, Absent(value=0.0)] = 0.0


class Needy(Entry):
    name: ClassVar[str] = "needy"
    summary: ClassVar[str] = "has a parameter without a default"

    side: int


def no_entry() -> None:
    """A function, which is no entry."""
