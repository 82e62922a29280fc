"""docs/extending.md: every recipe is run, as it is printed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import prunectl
from cli import write_study
from in_process import InProcess
from prunectl.catalog.executor import Executor
from prunectl.catalog.tables import CATALOGS
from prunectl.catalog.tracker import Tracker
from prunectl.execute.local import LocalEngine

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, flags=re.DOTALL))
TABLES = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)]
STUDY = """\
name = "extended"
[data]
name = "file:stripes.py:Stripes"
[model]
name = "file:net.py:Net"
width = 4
[train]
epochs = 1
batch_size = 20
lr = 0.05
[sweep]
sparsities = [0.0, 0.5]
seeds = 1
[[prune]]
criterion = ["file:looking.py:Looking", { name = "file:mine.py:Mine", power = 0.5 }]
at = "end"
"""


def recipe(file: str) -> dict[str, Any]:
    """What a file of the page defines."""
    names: dict[str, Any] = {"__name__": Path(file).stem}
    exec(compile(FILES[file], file, "exec"), names)
    return names


def test_criteria_network_data_set_and_tracker_run_in_one_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("mine.py", "looking.py", "net.py", "stripes.py"):
        Path(file).write_text(FILES[file])
    study = write_study(tmp_path, STUDY)
    tracker: Tracker = recipe("my_package/lines.py")["Lines"]()
    results = prunectl.run(study, store=tmp_path / "store", executor=InProcess(), track=tracker)
    assert results.trials["status"].to_list() == ["done"] * 4
    assert results.trials["n_params"].to_list() == [4 * 9 + 4 + 4 * 2 + 2] * 4
    lines = (tmp_path / "results/extended/tracking/lines/trials.txt").read_text().splitlines()
    assert len(lines) == 3 and lines[0].startswith("dense, seed 1 ")


def test_the_executor_gives_the_engine_of_this_machine() -> None:
    executor: Executor = recipe("my_package/patient.py")["Patient"](pause_s=0.0)
    engine = executor.engine(3, ())
    assert isinstance(engine, LocalEngine) and engine.jobs == 3
    engine.stop()


def test_the_tables_of_the_page_name_its_classes_and_catalogues() -> None:
    written = str(TABLES)
    for file in ("mine.py", "net.py", "stripes.py"):
        classes = re.findall(r"^class (\w+)", FILES[file], flags=re.MULTILINE)
        assert f"file:{file}:{classes[0]}" in written
    groups = TABLES[-1]["project"]["entry-points"]
    for group, entries in groups.items():
        assert group.removeprefix("prunectl.") in CATALOGS
        for place in entries.values():
            module, _, name = place.partition(":")
            assert name in recipe(module.replace(".", "/") + ".py")
