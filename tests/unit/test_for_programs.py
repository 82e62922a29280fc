"""What is promised to programs: docs/programs.md, llms.txt, and the notebooks, whose cells are run."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main

from in_process import InProcess
from prunectl.api.studies import shipped
from prunectl.base import errors
from prunectl.cli import app
from prunectl.results.document_schema import schema
from prunectl.results.table import SCHEMA

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "programs.md").read_text(encoding="utf-8")
COLAB, NOTEBOOK = (json.loads((DOCS / name).read_text(encoding="utf-8")) for name in ("colab.ipynb", "notebook.ipynb"))
COMMANDS: Any = typer.main.get_command(app.app)


def code(notebook: Any) -> list[str]:
    """The code cells of a notebook."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def rows(head: str) -> dict[str, str]:
    """The table of the page whose first column is called `head`: its other cells by the first."""
    lines = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {cells[1].strip(): "|".join(cells[2:]) for cells in (re.split(r"(?<!\\)\|", line) for line in lines)}


def commands(command: Any = COMMANDS, path: str = "") -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    return {path: command} | {
        key: each for name, child in inner.items() for key, each in commands(child, f"{path} {name}".strip()).items()
    }


def test_the_commands_with_a_json_document_are_those_of_the_page() -> None:
    with_json = {
        path for path, command in commands().items()
        if path and any("--json" in parameter.opts for parameter in command.params)
    }  # fmt: skip
    named = set()
    for cell in rows("command"):
        group = ""
        for words in (re.sub(r"`| --json| [A-Z]+\b.*| mine.py", "", part).split() for part in cell.split(",")):
            group = words[0] if len(words) > 1 else group
            named.add(f"{group} {words[-1]}" if f"{group} {words[-1]}" in with_json else words[0])
    assert named == with_json


def test_the_exit_codes_fields_and_columns_of_the_page_are_those_of_the_code() -> None:
    codes = {errors.DONE, errors.FAILED, errors.USAGE, errors.STORE, errors.INTERRUPTED}
    assert {int(code) for code in rows("code")} == codes
    listed = {name for cell in rows("field") for name in re.findall(r"`(\w+)`", cell)}
    assert listed == set(schema()["properties"]) - {"format", "version"}
    assert {name for cell in rows("columns") for name in re.findall(r"`(\w+)`", cell)} == set(SCHEMA)


def test_every_function_of_the_page_exists_and_is_described() -> None:
    for name in (cell.strip("`") for cell in rows("function")):
        module, _, attribute = name.rpartition(".")
        assert (getattr(import_module(module), attribute).__doc__ or "").strip(), name


@pytest.mark.parametrize("lines", [code(COLAB), re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)])
def test_every_command_that_is_shown_can_be_typed(lines: list[str]) -> None:
    shown = re.findall(r"^!?(prunectl .*?)(?: +#.*| [|>].*)?$", "\n".join(lines), flags=re.MULTILINE)
    assert len(shown) >= 5
    for line in shown:
        words = shlex.split(line)[1:]
        command: Any = COMMANDS
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        command.make_context("prunectl", words)  # raises for a word that it does not take


def test_the_colab_notebook_runs_an_installed_study_on_the_gpu_and_shows_nothing_that_was_not_run() -> None:
    text = "\n".join(code(COLAB))
    (study,) = set(re.findall(r"prunectl run ([\w-]+) --download --device cuda", text))
    assert study in shipped()
    assert COLAB["metadata"]["accelerator"] == "GPU"
    assert all(cell["outputs"] == [] for cell in COLAB["cells"] if cell["cell_type"] == "code")


def test_the_notebook_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("prunectl.api.machine.executor_of", lambda asked: InProcess())
    names: dict[str, Any] = {}
    for cell in code(NOTEBOOK):
        exec(compile(cell.replace("epochs = 4", "epochs = 1").replace("500", "100"), "notebook", "exec"), names)
    assert set(names["wider"].trials["status"]) == {"done"} and names["wider"].trials.height == 36
    assert "SNIP is better than random pruning: not settled" in capsys.readouterr().out
    assert (tmp_path / "notebook.html").exists()


def test_the_notebook_has_the_outputs_of_one_run_in_order() -> None:
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    printed = json.dumps(NOTEBOOK)
    assert "27 of 27 trials done" in printed and "Traceback" not in printed


def test_every_page_is_in_llms_txt_and_both_copies_are_one() -> None:
    ours = (DOCS / "llms.txt").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)]+)\)", ours)
    assert sorted(linked) == sorted(path.name for path in DOCS.iterdir() if path.suffix in (".md", ".ipynb"))
    assert (ROOT / "llms.txt").read_text(encoding="utf-8") == re.sub(r"\]\(", "](docs/", ours)
