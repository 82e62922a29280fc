"""How the values of channels that live and die together become one. No torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Members = Annotated[
    Literal["sum", "mean"],
    Field(description="whether the values of the channels that go together are summed or averaged"),
]
"""A parameter of criteria that score whole channels."""
