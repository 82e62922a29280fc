"""The files of weights that a study begins from: found next to the study file, and identified by what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.errors import Problem, PrunectlError, StudyError
from prunectl.base.text import plural, visible

if TYPE_CHECKING:
    from prunectl.study.load import LoadedStudy


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The files that a study names."""

    digests: Mapping[str, str]
    """A file as the study writes it → the digest of its tensors, by which keys know it."""
    files: Mapping[str, Path]
    """A digest → where such a file is."""


def weights_of(loaded: LoadedStudy) -> Weights:
    """Read every file of weights that a study names, relative to its own directory. Raises StudyError.

    Where pretrained weights are is known by their library, which a process of its own asks: it imports torch.
    """
    from prunectl.models.weights_file import digest_of
    from prunectl.study.initial import weights_files
    from prunectl.study.placed import placed

    digests: dict[str, str] = {}
    files: dict[str, Path] = {}
    problems = []
    for key, file in weights_files(loaded.study):
        if file in digests:
            continue
        try:
            path = _place(loaded, file)
            digests[file] = digest_of(path)
            files[digests[file]] = path
        except PrunectlError as error:
            problems.append(Problem(path=key, message=error.message, hint=error.hint))
    if problems:
        where = visible(str(loaded.path))
        lines = placed(loaded.text, where, problems, loaded.overridden)
        raise StudyError(f"{where}: {plural(len(problems), 'problem')}", lines)
    return Weights(digests=digests, files=files)


def _place(loaded: LoadedStudy, file: str) -> Path:
    """Where a file of weights is. Raises PrunectlError."""
    from prunectl.models.pretrained import pretrained_file
    from prunectl.study.initial import PRETRAINED

    if file == PRETRAINED:
        return pretrained_file(loaded.study.model.model)
    return (loaded.path.parent / Path(file).expanduser()).absolute()
