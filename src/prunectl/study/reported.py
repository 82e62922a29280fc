"""[published] and [report]: what the report of a study shows in addition. Nothing here changes what is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr

from prunectl.catalog.referenced import study_folder
from prunectl.catalog.section import Section
from prunectl.catalog.values import Tolerance


class PublishedSection(Section):
    """[published]: tables to hold the results against, shipped with prunectl or in files."""

    tables: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description='names that `prunectl list published` gives, or "file:theirs.csv" with the columns of these',
    )
    _folder: Path | None = PrivateAttr(default_factory=study_folder)

    @property
    def folder(self) -> Path | None:
        """Where the paths of files in `tables` begin: the folder of the study file."""
        return self._folder


class ReportSection(Section):
    """[report]: what the report shows beyond what every study has. Nothing here changes what is trained."""

    collapse: bool = Field(
        default=False,
        description="whether each criterion's critical compression is computed: the highest at which no layer is empty",
    )
    judged: str = Field(
        default="",
        description="a criterion of the study, as its arms name it, that the report judges against the others",
    )
    matching_margin: Tolerance = Field(
        default=0.01, description="how far below the dense network's a matching accuracy may lie: 0.01 is a point"
    )
