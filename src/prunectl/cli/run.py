"""`prunectl run`: everything that is missing, then the table and the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.errors import FAILED
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.session import Session, make, open_session

if TYPE_CHECKING:
    from prunectl.execute.driver import Tally
    from prunectl.results.table import Results

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Where the table and the report go [default: results/NAME]."),
]


def run(
    study: options.StudyFile,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    only: options.Only = None,
    jobs: options.Jobs = None,
    threads: options.Threads = 1,
    device: options.Device = "auto",
    executor: options.Executor = "local",
    retry_failed: options.Retry = False,
    store: options.Store = None,
    data: options.Data = None,
    output: Output = None,
    json_: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Do everything of a study that is missing, print its table, and write table and report.

    What is in the store already is not done again; after an interruption the same command goes on where it stopped.
    """
    session = open_session(study, overrides=set_, profile=profile, only=only, store=store, data=data)
    tally, results = completed(session, jobs, device, threads, executor, retry_failed, quiet)
    folder = output or Path("results") / session.study.name
    written = write(results, folder)
    if json_:
        answer_json(document(results, tally, written))
    else:
        tell(results, tally, written, quiet)
    if "".join(set(results.trials["status"])) != "done":
        raise typer.Exit(FAILED)


def completed(
    session: Session, jobs: int | None, device: str, threads: int, executor: str, retry: bool, quiet: bool
) -> tuple[Tally, Results]:
    """Run, and read what was made. An artefact found damaged is set aside on the way, and made again."""
    from prunectl.cli.progress import listening
    from prunectl.results.gather import results
    from prunectl.store.local import DamagedError

    while True:
        tally = make(
            session,
            "retrain",
            jobs=jobs,
            device=device,
            threads=threads,
            executor=executor,
            retry=retry,
            show=listening(session.plan, quiet),
        )
        try:
            return tally, results(session.study, session.text, session.plan, session.store, tally.done)
        except DamagedError as error:
            say(f"{error}; it has been set aside and is made again")


def write(results: Results, folder: Path) -> list[Path]:
    """The table and the report as files. Raises PrunectlError where the folder cannot be written."""
    from prunectl.base.errors import PrunectlError
    from prunectl.report import formats

    files = [folder / "table.csv", folder / "report.html"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            content = formats.render(results, file.suffix[1:])
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise PrunectlError(
            f"{folder} cannot be written: {error.strerror or error}", hint="choose another place with --output DIR"
        ) from error
    return files


def document(results: Results, tally: Tally, written: list[Path]) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "study": results.study.name,
        "steps": {
            "done": len(tally.done),
            "reused": len(tally.reused),
            "failed": len(tally.failed),
            "skipped": len(tally.skipped),
        },
        "files": [str(path) for path in written],
        "trials": results.trials.to_dicts(),
    }


def tell(results: Results, tally: Tally, written: list[Path], quiet: bool) -> None:
    """The table for people, and where to find more."""
    import shutil

    from prunectl.report import text

    answer(text.table(results, shutil.get_terminal_size().columns))
    if not quiet:
        say(
            f"steps: {len(tally.done)} done, {len(tally.reused)} reused, {len(tally.failed)} failed, "
            f"{len(tally.skipped)} skipped"
        )
        say(f"written: {', '.join(map(str, written))}")
