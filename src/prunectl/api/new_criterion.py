"""A criterion to begin with: one file with a class that works, for a study to name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prunectl.base.errors import PrunectlError

CRITERION = '''\
"""{title}: a criterion for prunectl. A study next to this file names it as "file:{file}:{kind}"."""

from prunectl import Criterion  # or DataCriterion, if it looks at images


class {kind}(Criterion):
    """Magnitude, in units of the layer's mean magnitude."""

    power: float = 1.0  # a parameter: {{ name = "file:{file}:{kind}", power = 2.0 }}

    def score(self, subject):
        """One score for each prunable weight; the lowest scores are pruned."""
        return {{
            name: weight.detach().abs() / weight.detach().abs().mean() ** self.power
            for name, weight in subject.weights.items()
        }}
'''


def new_criterion(path: Path) -> str:
    """Write a criterion that runs as it is, and return how a study names it.

    Raises PrunectlError for a name that is no module's; never overwrites.
    """
    from prunectl.store.output import write_output

    if path.suffix != ".py" or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", path.stem):
        hint = "use letters, digits and _, and end it with .py, e.g. mine.py"
        raise PrunectlError(f"invalid file name {path.name!r} for a criterion", hint=hint)
    if os.path.lexists(path):
        raise PrunectlError(f"{path} exists already", hint="choose another name")
    kind = "".join(part[:1].upper() + part[1:] for part in path.stem.split("_"))
    text = CRITERION.format(title=kind, file=path.name, kind=kind)
    write_output(path, text.encode(), new=True)
    return f"file:{path.name}:{kind}"
