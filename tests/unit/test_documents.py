"""The documents say what the code does: citations, names, links, and every recipe run for real."""

from __future__ import annotations

import math
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import polars as pl
import pytest
import torch
from torch import nn

import prunectl
from in_process import InProcess
from networks import SHAPE, batch, small_network
from prunectl.api.new import new
from prunectl.api.new_criterion import new_criterion
from prunectl.base import errors
from prunectl.catalog import lookup
from prunectl.catalog.entry import Entry
from prunectl.catalog.tables import CATALOGS
from prunectl.catalog.tracker import Tracked
from prunectl.plan.steps import STEPS
from prunectl.pruning import mask as masking
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score
from prunectl.results import published
from prunectl.results.table import SCHEMA
from prunectl.study.jsonschema import json_schema
from prunectl.study.load import load, validate

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
METHODS, ARCHITECTURE, PAPERS = (
    (ROOT / "docs" / name).read_text() for name in ("methods.md", "architecture.md", "papers.md")
)
STUDIES = [path.stem for path in sorted((ROOT / "studies").glob("*.toml"))]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
CODE = [
    path for folder in ("src", "tests", "bench", "studies") for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".toml") and path != Path(__file__)
]  # fmt: skip


def cited(word: str, paths: list[Path]) -> dict[int, list[str]]:
    """The numbers that follow a word in files, each with the names of the files."""
    numbers: dict[int, list[str]] = {}
    for path in paths:
        for number in re.findall(rf"\b{word} (\d+)", path.read_text(), flags=re.IGNORECASE):
            numbers.setdefault(int(number), []).append(path.name)
    return numbers


def defined(word: str, page: str) -> list[int]:
    return [int(number) for number in re.findall(rf"^\*\*{word} (\d+): ", page, flags=re.MULTILINE)]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Every block of code of a page, with its language."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)


# --- citations ---


@pytest.mark.parametrize(("word", "page"), [("Trap", METHODS), ("Invariant", ARCHITECTURE)])
def test_numbers_are_consecutive_and_every_one_that_is_cited_exists(word: str, page: str) -> None:
    numbers = defined(word, page)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 10
    assert set(cited(word, [*CODE, *PAGES])) <= set(numbers)


def test_every_trap_has_a_test_that_cites_it() -> None:
    tests = [path for path in CODE if ROOT / "tests" in path.parents]
    assert set(defined("Trap", METHODS)) - set(cited("Trap", tests)) == set()


def test_code_cites_no_document_that_is_not_in_the_repository() -> None:
    for path in CODE:
        text = path.read_text()
        assert not re.findall(r"\bseeds? 00\d", text, flags=re.IGNORECASE), path
        for document in re.findall(r"(?<![\w/{])[\w/.-]+\.md\b", text):
            folders = (ROOT, ROOT / "docs", path.parent)
            assert any((folder / document).exists() for folder in folders), f"{path} cites {document}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    packages = {path.name for path in (ROOT / "src/prunectl").iterdir() if path.is_dir()}
    for name in re.findall(r"`([a-z_]+/[a-z_/]+\.py)(?:: \w+)?`", page.read_text()):
        if name.partition("/")[0] in packages:
            assert (ROOT / "src/prunectl" / name).exists(), name


# --- docs/architecture.md ---


def column(page: str, head: str, place: int = 0) -> list[str]:
    """One column of the table whose first cell is `head`."""
    rows = page.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.split("|")[place + 1].strip().strip("`") for row in rows]


def test_the_packages_are_those_that_there_are() -> None:
    listed = re.findall(r"^  (\w+)/ ", ARCHITECTURE, flags=re.MULTILINE)
    packages = {path.parent.name for path in (ROOT / "src/prunectl").glob("*/__init__.py")}
    assert sorted(listed) == sorted(packages)


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert "```text\n" + "\n".join(layers) + "\n```" in ARCHITECTURE


def test_the_catalogues_and_kinds_of_step_are_those_that_there_are() -> None:
    assert column(ARCHITECTURE, "catalogue") == [*sorted(CATALOGS, key=column(ARCHITECTURE, "catalogue").index)]
    assert set(column(ARCHITECTURE, "catalogue")) == set(CATALOGS)
    assert set(column(ARCHITECTURE, "kind")) == {step.kind for step in STEPS}
    for catalog, declared in zip(column(ARCHITECTURE, "catalogue"), column(ARCHITECTURE, "catalogue", 1), strict=True):
        assert CATALOGS[catalog].kind.startswith(f"prunectl.{declared.removesuffix('.py').replace('/', '.')}:")


def test_the_exit_codes_are_those_of_the_code() -> None:
    codes = {errors.DONE, errors.FAILED, errors.USAGE, errors.STORE, errors.INTERRUPTED}
    assert {int(code) for code in column(ARCHITECTURE, "code")} == codes


@pytest.mark.parametrize(
    ("catalog", "head"),
    [("scopes", "scope"), ("rounds", "rounds"), ("ablations", "ablation"), ("retrainings", "retraining")],
)
def test_methods_describes_every_entry(catalog: str, head: str) -> None:
    described = {name for cell in column(METHODS, head) for name in cell.replace("`", "").split(", ")}
    assert set(CATALOGS[catalog].entries) - {"none"} <= described


@pytest.mark.parametrize("catalog", ["criteria", "structures"])
def test_methods_has_a_paragraph_on_every_entry(catalog: str) -> None:
    for name in CATALOGS[catalog].entries:
        assert f"\n**`{name}`**" in METHODS


# --- docs/papers.md ---


def test_every_name_on_the_page_of_the_papers_exists() -> None:
    catalogs = {name for catalog in CATALOGS.values() for name in catalog.entries}
    keys = {key for table in _tables(json_schema()) for key in table}
    known = catalogs | keys | set(STUDIES) | set(published.names()) | set(SCHEMA)
    names = set(re.findall(r"`([a-z0-9][a-z0-9_+-]*)`", PAPERS))
    assert len(names) > 100
    assert names - known == set()


def test_every_study_and_published_table_is_on_the_page_of_the_papers() -> None:
    price, loaded = {"price_lenet300", "price_resnet20"}, {"pretrained_resnet18", "pretrained_vit_tiny"}
    ours = {"smoke", "lenet300_mnist", "resnet20_evening", "settle_digits"} | price | loaded  # no paper's
    names = set(re.findall(r"`([a-z0-9][a-z0-9_+-]*)`", PAPERS.replace("studies/", "`").replace(".toml", "`")))
    assert (set(STUDIES) - ours | set(published.names())) - names == set()


def test_charts_and_overrides_on_the_page_of_the_papers_exist() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src/prunectl/report/charts").glob("*.py"))
    named = set(re.findall(r'name=f?"([a-z0-9{}_.(\', )-]+)"', sources))
    patterns = [re.compile(re.sub(r"\{.*?\}", "[a-z0-9-]+", name)) for name in named]
    for chart in re.findall(r"`--chart ([\w-]+)`", PAPERS):
        assert any(pattern.fullmatch(chart) for pattern in patterns), chart
    for study, profile in re.findall(r"`(\w+)`[^|`]*with `--profile (\w+)`", PAPERS):
        assert profile in load(ROOT / "studies" / f"{study}.toml").study.profile


def _tables(schema: Any) -> Iterator[dict[str, Any]]:
    """Every table of properties in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema["properties"]
        for inner in schema.values():
            yield from _tables(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _tables(inner)


# --- recipes ---

RECIPES = dict(re.findall(r"```python\n# (src/\S+\.py)\n(.*?)```", CONTRIBUTING, flags=re.DOTALL))
KINDS = {
    "criteria": "pruning/criteria/cubed", "scopes": "pruning/scopes/square_root",
    "structures": "pruning/structures/kernels", "rounds": "pruning/rounds/quadratic",
    "ablations": "pruning/ablations/mirror", "retrainings": "training/retrainings/anneal",
    "optimizers": "training/optimizers/adagrad", "schedules": "training/schedules/inverse_root",
    "metrics": "training/metrics/confidence", "models": "models/two_layers", "datasets": "datasets/stripes",
    "augmentations": "training/augmentations/upside", "executors": "execute/one_by_one",
    "trackers": "report/trackers/lines",
}  # fmt: skip
"""The recipe of each catalogue, by its file."""


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """The entry class of a catalogue's recipe, registered as the recipe says: a module, and a line of the table."""

    def registered(catalog: str) -> Any:
        module = run(RECIPES[f"src/prunectl/{KINDS[catalog]}.py"], f"recipe_{catalog}", tmp_path)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        (kind,) = (
            value for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Entry) and value.__module__ == module.__name__
        )  # fmt: skip
        entries = cast("dict[str, str]", CATALOGS[catalog].entries)
        monkeypatch.setitem(entries, kind.name, f"{module.__name__}:{kind.__name__}")
        lookup.places.cache_clear()
        return lookup.entry_type(catalog, kind.name)

    yield registered
    monkeypatch.undo()
    lookup.places.cache_clear()


def run(code: str, name: str, folder: Path | None = None) -> ModuleType:
    """A block of code as a module; with a folder, one that has a file there."""
    module = ModuleType(name)
    if folder is not None:
        module.__file__ = str(folder / f"{name}.py")
        (folder / f"{name}.py").write_text(code)
    exec(compile(code, name, "exec"), module.__dict__)
    return module


def test_there_is_a_recipe_for_every_kind_of_entry_in_the_folder_where_its_entries_are() -> None:
    assert set(KINDS) == set(CATALOGS)
    assert {f"src/prunectl/{file}.py" for file in KINDS.values()} < set(RECIPES)
    places = dict(zip(column(ARCHITECTURE, "catalogue"), column(ARCHITECTURE, "catalogue", 2), strict=True))
    for catalog, file in KINDS.items():
        assert f"{file}.py".startswith(places[catalog])
        assert "# src/prunectl/" + file in CONTRIBUTING


@pytest.mark.parametrize("catalog", KINDS)
def test_every_recipe_is_an_entry_of_its_catalogue(catalog: str, recipe: Callable[[str], Any]) -> None:
    kind = recipe(catalog)
    entry = kind(count=4) if catalog == "rounds" else kind()
    assert entry.preimage()["name"] == kind.name
    assert entry.summary and entry.written()
    assert [name for name in kind.__class_vars__ if not hasattr(kind, name)] == []


def test_the_criterion_prunes_the_smallest_weights(recipe: Callable[[str], Any]) -> None:
    criterion, network = recipe("criteria")(), small_network()
    weights = prunable(network)
    generator = torch.Generator().manual_seed(1)
    scores = score(Scoring(criterion=criterion, shape=SHAPE, generator=generator), network)
    masks = masking.prune(scores, Global(), 0.5, generator=generator).masks
    kept = torch.cat([weight.detach().abs()[masks[name]].flatten() for name, weight in weights.items()])
    gone = torch.cat([weight.detach().abs()[~masks[name]].flatten() for name, weight in weights.items()])
    assert len(gone) == round(0.5 * (len(gone) + len(kept)))
    assert gone.max() <= kept.min()


def test_the_scope_spreads_exactly_and_as_it_says(recipe: Callable[[str], Any]) -> None:
    shapes = {"a": (100, 100), "b": (20, 20)}
    groups = recipe("scopes")().groups(shapes, 0.9, {"a": 0, "b": 0})
    kept = [math.prod(shapes[name]) - count for (name,), count in groups]
    assert sum(kept) == 1040
    assert kept[0] > kept[1] > 100  # not in proportion to their weights


def test_the_structure_removes_whole_kernels(recipe: Callable[[str], Any]) -> None:
    structure, network = recipe("structures")(), nn.Sequential(nn.Conv2d(2, 8, 3), nn.Conv2d(8, 4, 3))
    weights = prunable(network)
    assert list(structure.check(network, weights, SHAPE)) == []
    assert list(structure.check(small_network(), prunable(small_network()), SHAPE))
    units, generator = structure.units(network, SHAPE), torch.Generator().manual_seed(1)
    scores = {name: weight.detach().abs() for name, weight in weights.items()}
    masks = units.prune(scores, Global(), 0.5, generator=generator).masks
    further = units.prune(scores, Global(), 0.75, generator=generator, before=masks).masks
    for changed, sparsity in ((masks, 0.5), (further, 0.75), (units.shuffle(masks, generator), 0.5)):
        assert masking.sparsity_of(changed) == pytest.approx(sparsity)
        assert all(mask.flatten(2).all(2).eq(mask.flatten(2).any(2)).all() for mask in changed.values())
    assert all((masks[name] | ~mask).all() for name, mask in further.items())


def test_the_rounds_end_at_the_target(recipe: Callable[[str], Any]) -> None:
    targets = recipe("rounds")(count=4).targets(0.9)
    assert targets == sorted(targets) and targets[-1] == 0.9 and len(targets) == 4
    assert targets[0] > 0.9 - targets[-2]


def test_the_ablation_keeps_the_counts_and_moves_the_mask(recipe: Callable[[str], Any]) -> None:
    masks = {"a": torch.tensor([[True, True, False], [False, False, False]])}
    (changed,) = recipe("ablations")().masks(masks, None, torch.Generator()).values()
    assert changed.tolist() == [[False, False, False], [False, True, True]]


def test_the_optimizer_trains_and_its_state_has_the_shape_of_the_weights(recipe: Callable[[str], Any]) -> None:
    network = small_network()
    optimizer = recipe("optimizers")().build(list(network.parameters()), lr=0.1, weight_decay=0.0)
    images, labels = batch(1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    for parameter, state in optimizer.state.items():
        assert all(value.shape == parameter.shape for value in state.values() if value.dim())


def test_the_schedule_begins_at_one_and_falls(recipe: Callable[[str], Any]) -> None:
    schedule = recipe("schedules")(warmup=2).in_steps(3)
    assert [schedule.factor(step, 10) for step in (0, 3)] == [1.0, 0.5]
    assert schedule.warm(3) == 0.5


def test_the_metric_is_a_mean_over_images(recipe: Callable[[str], Any]) -> None:
    metric = recipe("metrics")()
    logits = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    total = sum(metric.sums(part, torch.zeros(len(part))) for part in (logits[:2], logits[2:]))
    assert metric.value(total, 3) == pytest.approx((0.5 + 1 + 1) / 3)


def test_the_model_builds_and_the_data_set_is_what_it_declares(recipe: Callable[[str], Any]) -> None:
    dataset = recipe("datasets")()
    arrays = dataset.arrays(Path())
    assert arrays.train_images.shape == (dataset.train_size, *dataset.shape)
    assert arrays.test_labels.tolist().count(0) == arrays.test_labels.tolist().count(1) == 10
    assert arrays.train_images.mean() / 255 == pytest.approx(dataset.mean[0])
    network = recipe("models")().build(dataset.shape, dataset.classes)
    assert network(torch.zeros((2, *dataset.shape))).shape == (2, dataset.classes)
    assert [name for name, _ in network.named_children()][-1] == "head"


def test_the_augmentation_leaves_its_input_alone(recipe: Callable[[str], Any]) -> None:
    images = torch.arange(64 * 4, dtype=torch.uint8).view(64, 1, 2, 2)
    before = images.clone()
    upside = recipe("augmentations")()
    changed = upside.apply(images, upside.draw(len(images), torch.Generator().manual_seed(1)))
    assert torch.equal(images, before)
    turned = (changed == images.flip(2)).flatten(1).all(1)
    assert 0 < int(turned.sum()) < 64 and bool((turned | (changed == images).flatten(1).all(1)).all())


def test_the_executor_gives_an_engine(recipe: Callable[[str], Any]) -> None:
    engine = recipe("executors")().engine(8, ())
    assert (engine.jobs, dict(engine.running)) == (1, {})
    engine.stop()


def test_the_tracker_logs_a_line_for_each_trial(recipe: Callable[[str], Any], tmp_path: Path) -> None:
    trial = Tracked(
        key="a1", name="snip, 50 %, seed 1", study="s", arm="snip", config={}, curve=(), numbers={"top1": 0.5}
    )
    for _ in range(2):
        log = recipe("trackers")().open(tmp_path, "s")
        log.add(trial)
        log.close()
    assert (tmp_path / "trials.txt").read_text() == "snip, 50 %, seed 1: top1 0.5\n" * 2


def test_the_chart_draws_what_there_is() -> None:
    draw = run(RECIPES["src/prunectl/report/charts/sizes.py"], "recipe_chart").__dict__["against_size"]
    frame = {"arm": ["a", "b"], "top1": [0.5, None], "n_nonzero": [10, 20]}
    chart = draw(pl.DataFrame(frame))
    assert chart.name == "top1-size"
    assert list(chart.spec["datasets"].values()) == [[{"arm": "a", "top1": 0.5, "n_nonzero": 10}]]
    assert draw(pl.DataFrame(frame).clear()) is None


def test_the_criterion_of_the_readme_is_the_one_that_is_written_and_runs_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = next(code for _, code in blocks(ROOT / "README.md") if "class Mine" in code)
    commands = next(code for _, code in blocks(ROOT / "README.md") if "new --criterion" in code).splitlines()
    (_, _, name), (_, _, _, file), (_, _, study, _, change) = map(shlex.split, commands)
    written, _ = new(name), new_criterion(Path(file))
    assert (Path(file).read_text(), str(written)) == (printed, study)
    cheaper = ["train.epochs=1", "data.train_limit=100", "sweep.seeds=1", "sweep.sparsities=[0.5]"]
    results = prunectl.run(study, set=[change, *cheaper], executor=InProcess(), store=tmp_path / "store")
    assert results.trials["status"].to_list() == ["done"] * 3
    assert set(results.trials["criterion"]) == {"random", "magnitude", "file:mine.py:Mine"}


def test_the_study_of_the_readme_is_valid() -> None:
    table = next(tomllib.loads(code) for language, code in blocks(ROOT / "README.md") if language == "toml")
    study, problems = validate(table)
    assert study is not None and not problems


@pytest.mark.parametrize(
    "catalog", ["criteria", "scopes", "structures", "rounds", "ablations", "retrainings", "models", "datasets"]
)
def test_the_readme_names_and_counts_every_entry(catalog: str) -> None:
    row = re.search(rf"^\| {catalog} \| (.*) \|$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert row is not None
    entries = set(CATALOGS[catalog].entries) - {"none"}
    assert set(re.findall(r"`([^`]+)`", row[1])) == entries
    assert sum(map(int, re.findall(r"(?<![`\w-])(\d+)(?=:| for)", row[1]))) == len(entries)


# --- commands ---


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make (\w+)`", page.read_text())) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_code_can_be_read(page: Path) -> None:
    for language, code in blocks(page):
        if language == "python":
            compile(code, str(page), "exec")
        elif language == "toml":
            tomllib.loads(code)


def test_continuous_integration_tests_the_versions_of_python_that_are_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = [text.rpartition(" ")[2] for text in project["classifiers"] if "Python :: 3." in text]
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)
    assert matrix.replace('"', "").split(", ") == supported
    assert project["requires-python"] == f">={supported[0]}"
    assert "run: .ci/run" in workflow and "test command" in (ROOT / ".ci/run").read_text()


def test_the_citation_has_the_version_of_the_package() -> None:
    (version,) = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), flags=re.MULTILINE)
    assert version == prunectl.__version__


@pytest.mark.parametrize("name", ["atlas-digits", "atlas-mnist"])
def test_a_page_has_the_atlas_that_is_shipped(name: str) -> None:
    table = "\n".join(runpy.run_path(str(ROOT / "bench" / "atlas.py"))["markdown"](published.load(name)))
    assert table in (ROOT / "docs" / "criteria.md").read_text("utf-8")
