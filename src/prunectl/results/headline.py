"""What a report is called: the title of its study, or what was run where a profile or an override has changed that."""

from __future__ import annotations

import re

from prunectl.base.cells import cell, words
from prunectl.study.schema import Study
from prunectl.study.selection import Selection

_NETWORK_OR_DATA = re.compile(r"""\s*["']?(model|data)\b""")
"""How an override begins that changes the network or the data, which the title of a study may name."""


def headline(study: Study, selection: Selection) -> str:
    """The title of a study as it is written; else the network and the data that were run, and of what study.

    >>> "tiny-cnn on digits: the quick profile of “VGG-16 pruned at initialization”"
    """
    title = study.title or study.name
    if selection.profile is not None:
        return f"{_run(study)}: the {selection.profile} profile of “{title}”"
    if any(_NETWORK_OR_DATA.match(override) for override in selection.overrides):
        return f"{_run(study)}: a variant of “{title}”"
    return title


def _run(study: Study) -> str:
    network, data = study.model.model.written(), study.data.dataset.written()
    return f"{words(cell(network))} on {words(cell(data))}"
