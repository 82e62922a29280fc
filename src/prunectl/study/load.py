"""TOML file → Study, or every problem at once. The way into this package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from prunectl.base.errors import Path as Key
from prunectl.base.errors import Problem, StudyError
from prunectl.base.text import visible
from prunectl.catalog.problems import existing, problems_of
from prunectl.catalog.referenced import paths_in
from prunectl.catalog.section import Section
from prunectl.study import check
from prunectl.study.data_section import DataSection
from prunectl.study.document import parse, read_text
from prunectl.study.locate import line_column, offsets
from prunectl.study.overrides import Override, applied, from_option, from_profile, override_of
from prunectl.study.placed import short
from prunectl.study.reported import ReportSection
from prunectl.study.schema import (
    Claim,
    ControlSection,
    ModelSection,
    PruneSection,
    Study,
    SweepSection,
    TrainSection,
)

S = TypeVar("S", bound=Section)

MOST = 50
"""Most problems shown at once."""


@dataclass(frozen=True, kw_only=True)
class LoadedStudy:
    """A study and the text that it was read from, with a comment line per override at its end."""

    study: Study
    text: str
    path: Path
    overridden: Mapping[Key, Override] = field(default_factory=dict)
    """The overrides in force, by the path of what each has set."""
    named_by_profile: bool = False
    """Whether the study has its name from the profile, and the file gives it another one."""


def load(path: Path, *, overrides: Sequence[str] = (), profile: str | None = None) -> LoadedStudy:
    """The study in a file, with a profile and then `key=value` overrides applied.

    Raises StudyError with every problem found: in the file, in the overrides, and in profiles not chosen.
    """
    text = read_text(path)
    reading = _Reading(path=path, text=text, document=parse(text, path))
    layers = [reading.profile(profile), reading.options(overrides)]
    with paths_in(path.parent):
        study = reading.study(layers)
        if not reading.problems and not any(layers):
            reading.profiles()
    if reading.problems or study is None:
        raise reading.error()
    labels = [override.label for layer in layers for override in layer]
    comments = [f"# {label}" for label in dict.fromkeys(labels)]
    if comments:
        text = "\n".join([text.rstrip("\n"), "", "# changed for this run by", *comments, ""])
    named = any(override.path == ("name",) and override.value == study.name for override in layers[0])
    named_by_profile = named and study.name != reading.document.get("name")
    _, in_force, _ = applied(reading.document, layers)
    return LoadedStudy(study=study, text=text, path=path, overridden=in_force, named_by_profile=named_by_profile)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One file being read, and what is wrong with it so far: problems by their place in the file."""

    path: Path
    text: str
    document: dict[str, Any]
    problems: dict[Problem, int] = field(default_factory=dict)

    @cached_property
    def offsets(self) -> dict[Key, int]:
        return offsets(self.text)

    def profile(self, name: str | None) -> list[Override]:
        """The overrides of a profile; none if there is something wrong with it, which is noted."""
        if name is None:
            return []
        try:
            return from_profile(self.document, name)
        except StudyError as error:
            for problem in error.problems:
                self.add(problem, label=None if problem.path else f"--profile {visible(name)}")
            return []

    def options(self, texts: Iterable[str]) -> list[Override]:
        """The overrides of options; what is wrong with an option is noted."""
        overrides = []
        for text in texts:
            try:
                overrides.append(from_option(text))
            except StudyError as error:
                for problem in error.problems:
                    self.add(problem, label=f"--set {visible(text)}")
        return overrides

    def study(self, layers: Sequence[Sequence[Override]]) -> Study | None:
        """The study with the overrides applied, unless something is wrong with it, which is noted."""
        changed, in_force, failed = applied(self.document, layers)
        for override, problem in failed:
            self.add(problem, override=override)
        study, problems = validate(
            changed,
            length_overridden=not in_force.keys().isdisjoint(LENGTHS),
            sweep_overridden=any(key[0] == "sweep" for key in in_force),
        )
        for problem in problems:
            self.add(problem, override=override_of(problem.path, in_force, self.offsets))
        return study

    def profiles(self) -> None:
        """Note what is wrong with the profiles of a study that is valid without them."""
        for name in self.document.get("profile", {}):
            alone = replace(self, problems={})
            alone.study([alone.profile(name)])
            for problem, offset in alone.problems.items():
                message = f"{problem.message} (with --profile {visible(name)})"
                self.problems[replace(problem, message=message)] = offset

    def add(self, problem: Problem, *, override: Override | None = None, label: str | None = None) -> None:
        """Note a problem where it stands: in the file, or in the option that the user gave."""
        origin = problem.path if override is None else override.origin
        label = override.label if override is not None and origin is None else label
        offset = len(self.text)
        if label is None and origin is not None:
            offset = self.offset(origin)
            line, column = line_column(self.text, offset)
            label = f"{visible(str(self.path))}:{line}:{column}"
        self.problems.setdefault(replace(problem, where=None if label is None else short(label)), offset)

    def offset(self, path: Key) -> int:
        while path and path not in self.offsets:
            path = path[:-1]
        return self.offsets.get(path, 0)

    def error(self) -> StudyError:
        problems = sorted(self.problems, key=lambda problem: self.problems[problem])
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        first = f", the first {MOST}" if len(problems) > MOST else ""
        message = f"{visible(str(self.path))}: {count}{first}"
        return StudyError(message, problems[:MOST])


LENGTHS = {("train", "epochs"), ("train", "steps")}


def validate(
    document: Mapping[str, Any], *, length_overridden: bool = False, sweep_overridden: bool = False
) -> tuple[Study | None, list[Problem]]:
    """The study that tables describe (None if it is not valid), and everything that is wrong with them."""
    problems: list[Problem] = []
    study = None
    try:
        study = Study.model_validate(dict(document))
        parts = check.parts_of(study)
    except ValidationError as error:
        problems += problems_of(error, document)
        parts = _parts(document)
    for problem in check.problems(parts, length_overridden=length_overridden, sweep_overridden=sweep_overridden):
        path, _ = existing(problem.path, document)
        problems.append(replace(problem, path=path))
    return study, problems


def _parts(document: Mapping[str, Any]) -> check.Parts:
    """The sections that are right in themselves, in a study that is not."""
    return check.Parts(
        data=_part(DataSection, document.get("data")),
        model=_part(ModelSection, document.get("model")),
        train=_part(TrainSection, document.get("train")),
        sweep=_part(SweepSection, document.get("sweep")),
        prune=tuple(_list_of(PruneSection, document.get("prune"))),
        control=tuple(_list_of(ControlSection, document["control"])) if "control" in document else (),
        claim=tuple(_list_of(Claim, document.get("claim"))),
        report=_part(ReportSection, document.get("report", {})),
    )


def _list_of(section: type[S], value: Any) -> Iterator[S | None]:
    # A list that is missing or no list is one gap, so that no rule takes it for complete.
    tables = value if isinstance(value, list) and value else [None]
    return (_part(section, table) for table in tables)


def _part(section: type[S], value: Any) -> S | None:
    try:
        return section.model_validate(value)
    except ValidationError:
        return None
