"""Options that commands share, as records, and the decorator that gives a command the options of its records.

Nothing heavy is imported here: `--help` and completion stay instant.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from prunectl.cli import complete
from prunectl.cli.help import OUTPUT, PART, PLACES, RUNNING

if TYPE_CHECKING:
    from prunectl.api.data import Provide
    from prunectl.api.machine import Machine
    from prunectl.api.session import Session
    from prunectl.store.local import LocalStore

StudyFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="STUDY",
        help="A study file (TOML), or the name of one of `prunectl list studies`.",
        show_default=False,
        autocompletion=complete.studies,
    ),
]
"""Not required by typer: a command without one lists the studies at hand, see `Variant.open`."""
NeededBy = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[STUDY]...", help="Only what these studies need.", show_default=False, autocompletion=complete.studies
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the study, e.g. train.epochs=2.",
        rich_help_panel=PART,
        autocompletion=complete.keys,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Apply the overrides of [profile.NAME].",
        rich_help_panel=PART,
        autocompletion=complete.profiles,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="SELECTOR",
        help="Only some trials, e.g. 'criterion=snip,sparsity=0.9'. A comma means and; repeat the option for or.",
        rich_help_panel=PART,
        autocompletion=complete.selectors,
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store", envvar="PRUNECTL_STORE", metavar="DIR|URL", help="Where artefacts are kept.", rich_help_panel=PLACES
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="PRUNECTL_DATA", metavar="DIR", help="Where data sets are.", rich_help_panel=PLACES),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="Steps at once on each device [default: one per core, or one per GPU].",
        rich_help_panel=RUNNING,
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="CPU threads per step. Changing it may change results in the last bits.",
        rich_help_panel=RUNNING,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:0,2]",
        help="Where steps run; cuda is every GPU.",
        rich_help_panel=RUNNING,
        autocompletion=complete.devices,
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="How steps are run: a name (`prunectl list executors`), or '{ name = \"local\" }' with parameters "
        "[default: that of your settings, or local].",
        rich_help_panel=RUNNING,
        autocompletion=complete.executors,
    ),
]
Track = Annotated[
    str | None,
    typer.Option(
        "--track",
        metavar="NAME",
        help="Log each trial to a tracker: a name (`prunectl list trackers`), or '{ name = \"wandb\" }' with "
        "parameters [default: that of your settings, or none].",
        rich_help_panel=OUTPUT,
        autocompletion=complete.trackers,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME|DURATION",
        help="Stop before then with snapshots left: 2h, 90m, 1h30m, 18:00, 2026-12-24T18:00.",
        rich_help_panel=RUNNING,
    ),
]
Share = Annotated[
    bool,
    typer.Option(
        "--share",
        help="Be one of several runs on a store: end, without results, when others do the rest.",
        rich_help_panel=RUNNING,
    ),
]
Download = Annotated[
    bool,
    typer.Option(
        "--download",
        help="Download the data set if it is missing. On a terminal it is asked.",
        rich_help_panel=RUNNING,
    ),
]
Retry = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Retry steps that failed and would otherwise be skipped.", rich_help_panel=RUNNING
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.", rich_help_panel=OUTPUT)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only, no progress.", rich_help_panel=OUTPUT)]


class Options:
    """A record whose fields are options. A command that takes one has its options: see `options`."""


@dataclass(frozen=True, kw_only=True)
class Where(Options):
    """Where artefacts and data sets are."""

    store: Store = None
    data: Data = None

    def open_store(self) -> LocalStore:
        """The store. Raises StoreError."""
        from prunectl.api.session import open_store

        return open_store(self.store)


@dataclass(frozen=True, kw_only=True)
class Variant(Where):
    """A study as it is, or with overrides."""

    set_: Set = None
    profile: Profile = None

    def open(self, study: Path | None, provide: Provide | None = None) -> Session:
        """Open a study. Raises PrunectlError; without a study its message lists those at hand."""
        from prunectl.api.session import open_study

        return open_study(
            named(study),
            provide=provide,
            set=self.set_ or (),
            profile=self.profile,
            store=self.store,
            data=self.data,
        )


@dataclass(frozen=True, kw_only=True)
class Selected(Variant):
    """A study, or the part of it that is selected."""

    only: Only = None

    def open(self, study: Path | None, provide: Provide | None = None) -> Session:
        """Open a study. Raises PrunectlError; without a study its message lists those at hand."""
        from prunectl.api.session import open_study

        return open_study(
            named(study),
            provide=provide,
            only=self.only or (),
            set=self.set_ or (),
            profile=self.profile,
            store=self.store,
            data=self.data,
        )


def named(study: Path | None) -> Path:
    """The study file of a command line. Raises PrunectlError if it names none."""
    if study is None:
        from prunectl.api.studies import no_study

        raise no_study()
    return study


@dataclass(frozen=True, kw_only=True)
class OnMachine(Options):
    """Where steps run."""

    jobs: Jobs = None
    threads: Threads = 1
    device: Device = "auto"
    executor: Executor = None
    until: Until = None
    share: Share = False
    download: Download = False

    def machine(self) -> Machine:
        """The same for the api; a duration begins now. Raises PrunectlError for a moment that cannot be used."""
        from prunectl.api.machine import Machine, deadline

        return Machine(
            device=self.device,
            jobs=self.jobs,
            threads=self.threads,
            executor=self.executor,
            until=deadline(self.until),
            shares=self.share,
        )


def options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each parameter that is a record of options replaced by those options."""
    hints = get_type_hints(command, include_extras=True)
    plain: list[inspect.Parameter] = []
    records: dict[str, type[Options]] = {}
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, Options):
            records[parameter.name] = kind
            plain += _parameters(kind)
        else:
            plain.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        for name, kind in records.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in _fields(kind)})
        command(**given)

    flat.__signature__ = inspect.Signature(plain)  # type: ignore[attr-defined]  # what inspect.signature reads
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in plain}
    del flat.__wrapped__  # else its annotations are read instead
    return flat


def _parameters(kind: type[Options]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    for field in _fields(kind):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )


def _fields(kind: type[Options]) -> tuple[Field[Any], ...]:
    return fields(kind)  # type: ignore[arg-type]  # every record of options is a dataclass
