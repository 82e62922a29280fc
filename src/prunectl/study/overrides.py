"""Overrides of a study's keys: --set and profiles. They change the tables before anything is checked."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli

from prunectl.base.errors import Path, Problem, PrunectlError, StudyError, path_text
from prunectl.base.text import did_you_mean, visible
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.section import FlatSection
from prunectl.catalog.values import Length, Moment
from prunectl.catalog.wording import listing, shown
from prunectl.catalog.written_keys import written_keys
from prunectl.study.data_section import DataSection
from prunectl.study.document import DEEPEST, depth
from prunectl.study.schema import ModelSection, SweepSection, TrainSection

ALTERNATIVES = (TrainSection.one_of, SweepSection.one_of, Moment.one_of, Length.one_of)
"""Keys of which a table has only one: setting one removes the others."""

FLAT: Mapping[Path, type[FlatSection]] = {("data",): DataSection, ("model",): ModelSection}
"""Tables with an entry's name and parameters: another name takes away the parameters that only the earlier one has."""

LONGEST_KEY = 500

_PART = re.compile(r"""(?:^|\.)(?:([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*"|'[^']*'))|\[([0-9]{1,6})\]""")


@dataclass(frozen=True, kw_only=True)
class Override:
    """A new value for one key; `label` is how the user gave it."""

    path: Path
    value: Any
    label: str
    origin: Path | None = None
    """Where in the file it is written, for an override of a profile."""


def override_of(path: Path, in_force: Mapping[Path, Override], written: Collection[Path]) -> Override | None:
    """The override that set what is at a path, or that made the table there; `written` are the paths in the file."""
    around = [path[:n] for n in range(len(path), 0, -1)]
    if path not in written:
        around += [inner for inner in in_force if inner[: len(path)] == path]
    return next((in_force[key] for key in around if key in in_force), None)


def _refusal(message: str, *, hint: str | None = None, path: Path = ()) -> StudyError:
    return StudyError(message, [Problem(path=path, message=message, hint=hint)])


def from_option(text: str) -> Override:
    """The override of one `--set key=value`. The value is TOML, or a bare text where it is not.

    Raises StudyError for a text without a key and an equals sign.
    """
    label = f"--set {visible(text)}"
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise _refusal("an override is written key=value", hint="for example: --set train.epochs=2")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refusal("an override must be text in UTF-8") from None
    return Override(path=parse_key(key.strip()), value=_value(value), label=label)


def parse_key(text: str) -> Path:
    """The path of a dotted key: `prune[0].at`, `prune.0.at`, `profile."my own".x`. Raises StudyError."""
    path: list[str | int] = []
    end = 0
    if len(text) > LONGEST_KEY:
        raise _refusal(f"a key of {len(text)} characters is no key of a study")
    for part in _PART.finditer(text):
        if part.start() != end:
            break
        end = part.end()
        bare, quoted, place = part.groups()
        path.append(int(place) if place else bare or _unquoted(quoted))
    if not path or end != len(text) or isinstance(path[0], int):
        raise _refusal(f"{shown(text)} is no key", hint="keys look like train.epochs or prune[0].at")
    return tuple(path)


def _unquoted(token: str) -> str:
    try:
        return next(iter(tomli.loads(f"{token} = 0")))
    except tomli.TOMLDecodeError:
        raise _refusal(f"{shown(token)} is no key") from None


def _value(text: str) -> Any:
    try:
        table = tomli.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    if depth(table) > DEEPEST:
        raise _refusal("lists or tables nested too deeply")
    return table["value"] if len(table) == 1 else text


def from_profile(document: Mapping[str, Any], name: str) -> list[Override]:
    """The overrides of one [profile.NAME]. Raises StudyError for a profile that the study does not have."""
    profiles = document.get("profile")
    profiles = profiles if isinstance(profiles, dict) else {}
    chosen = profiles.get(name)
    if not isinstance(chosen, dict):
        there = f"its profiles are {listing(profiles)}" if profiles else "it has none"
        raise _refusal(f"the study has no profile {shown(name)}; {there}", hint=did_you_mean(name, profiles))
    overrides = []
    for key, value in chosen.items():
        origin: Path = ("profile", name, key)
        try:
            path = parse_key(key)
        except StudyError as refusal:
            problems = [problem.under(origin) for problem in refusal.problems]
            raise StudyError(refusal.message, problems) from None
        inner = value if isinstance(value, dict) and len(path) == 1 else None
        for part, item in (inner or {}).items():  # train.epochs without quotes is a table train, for TOML
            overrides.append(_of_profile(name, (*path, part), item, (*origin, part)))
        if inner is None:
            overrides.append(_of_profile(name, path, value, origin))
    return overrides


def _of_profile(name: str, path: Path, value: Any, origin: Path) -> Override:
    return Override(path=path, value=value, label=f"--profile {visible(name)}", origin=origin)


def applied(
    document: Mapping[str, Any], layers: Iterable[Sequence[Override]]
) -> tuple[dict[str, Any], dict[Path, Override], list[tuple[Override, Problem]]]:
    """The tables with the overrides of each layer applied, in order.

    Also returned: the overrides in force by the path that they set, and those that could not be applied, with why.
    """
    changed = copy.deepcopy(dict(document))
    in_force: dict[Path, Override] = {}
    failed: list[tuple[Override, Problem]] = []
    for layer in layers:
        together: set[Path] = set()
        for override in layer:
            try:
                path = _put(changed, override, together)
            except StudyError as refusal:
                failed.extend((override, problem) for problem in refusal.problems)
                continue
            together.add(path)
            in_force = {old: earlier for old, earlier in in_force.items() if old[: len(path)] != path}
            in_force[path] = override
    return changed, in_force, failed


def _put(document: dict[str, Any], override: Override, together: set[Path]) -> Path:
    """Set one key; returns its path with places in lists as numbers."""
    if override.path[0] == "profile":
        raise _refusal("a profile cannot be changed by an override", path=override.path)
    table: Any = document
    path: Path = ()
    for part in override.path[:-1]:
        step = _step(table, part, path)
        path = (*path, step)
        if isinstance(table, dict) and step not in table:
            table[step] = {}
        table = table[step]
    leaf = _step(table, override.path[-1], path)
    others = [*_alternatives(leaf), *_only_of_the_earlier(table, path, override)]
    table[leaf] = copy.deepcopy(override.value)
    for other in others:
        if isinstance(table, dict) and (*path, other) not in together:
            table.pop(other, None)
    return (*path, leaf)


def _alternatives(leaf: str | int) -> list[str]:
    return [key for group in ALTERNATIVES if leaf in group for key in group if key != leaf]


def _only_of_the_earlier(table: Any, path: Path, override: Override) -> set[str]:
    """The parameters that the entry named so far has and the one that the override names has not."""
    section = FLAT.get(path)
    if section is None or override.path[-1] != "name" or not isinstance(table, dict):
        return set()
    earlier, later = (_parameters(section.catalog, name) for name in (table.get("name"), override.value))
    return earlier.difference(later, section.own())


def _parameters(catalog: str, name: Any) -> set[str]:
    """The keys of an entry's parameters; none if there is no such entry, which is reported elsewhere."""
    try:
        return set(written_keys(entry_type(catalog, name))) if isinstance(name, str) else set()
    except PrunectlError:
        return set()


def _step(value: Any, part: str | int, path: Path) -> str | int:
    """The key or place that a part of a dotted key means in a value. Raises StudyError if none."""
    if isinstance(value, list):
        number = int(part) if isinstance(part, int) or (part.isdecimal() and len(part) < 7) else None
        if number is not None and number < len(value):
            return number
        where = f"{path_text(path)} is a list of {len(value)}"
        last = len(value) - 1
        hint = f"write {path_text(path)}[0]" + (f" to {path_text(path)}[{last}]" if last > 0 else "")
        raise _refusal(where, hint=hint if value else None, path=(*path, part))
    if isinstance(value, dict) and isinstance(part, str):
        return part
    if isinstance(value, dict):
        raise _refusal(f"{path_text(path)} is a table, not a list", path=(*path, part))
    raise _refusal(f"{path_text(path)} is {shown(value)}, not a table or list: set it whole", path=(*path, part))
