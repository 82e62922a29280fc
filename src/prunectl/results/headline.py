"""What a report is called: the title of its study, or what was run where a profile or an override has changed that."""

from __future__ import annotations

from collections.abc import Collection

from prunectl.base.cells import cell, words
from prunectl.base.errors import Path
from prunectl.study.schema import Study
from prunectl.study.selection import Selection

_SECTIONS = ("data", "model")
"""The sections of a study whose keys change the network or the data, which the title of a study may name."""

_PLACE = ("data", "root")
"""The key among them that changes only where the data are read from."""


def headline(study: Study, selection: Selection, overridden: Collection[Path] = ()) -> str:
    """The title of a study as it is written; else what of it was run, with the network and the data where they differ.

    `overridden` are the paths of the keys that the profile and the overrides have set.

    >>> "tiny-cnn on digits: the quick profile of “VGG-16 pruned at initialization”"
    """
    title = study.title or study.name
    changed = any(path[0] in _SECTIONS and path != _PLACE for path in overridden)
    if selection.profile is not None:
        return f"{_run(study)}: the {_of(selection, title)}" if changed else f"The {_of(selection, title)}"
    return f"{_run(study)}: a variant of “{title}”" if changed else title


def _of(selection: Selection, title: str) -> str:
    return f"{selection.profile} profile of “{title}”"


def _run(study: Study) -> str:
    network, data = study.model.model.written(), study.data.dataset.written()
    return f"{words(cell(network))} on {words(cell(data))}"
