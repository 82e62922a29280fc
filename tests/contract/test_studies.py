"""Every study that is shipped: it loads and plans, in full and with each profile, its tables exist and its claims say
something about its arms."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from prunectl.base.cells import cell
from prunectl.datasets.digits import Digits
from prunectl.models.flops import flops_of
from prunectl.plan.build import build
from prunectl.plan.cost import training_steps
from prunectl.plan.graph import Plan
from prunectl.plan.only import only
from prunectl.results import published
from prunectl.results.cases import cases_of
from prunectl.results.table import SCHEMA
from prunectl.study.load import load
from prunectl.study.schema import Study

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").rglob("*.toml"))
PROFILED = [(path, name) for path in STUDIES for name in (None, *load(path).study.profile)]
PAPERS = ("comp6258_", "frankle_", "james_", "renda_", "l1_")
FINGERPRINT = "f" * 64

EVERY = pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
OF_A_PAPER = pytest.mark.parametrize(
    "path", [path for path in STUDIES if path.stem.startswith(PAPERS)], ids=lambda path: path.stem
)
QUICK = pytest.mark.parametrize(
    "path", [path for path, profile in PROFILED if profile == "quick"], ids=lambda path: path.stem
)
EVERY_PROFILE = pytest.mark.parametrize(
    ("path", "profile"), PROFILED, ids=[f"{path.stem}-{name or 'full'}" for path, name in PROFILED]
)


@cache
def planned(path: Path, profile: str | None) -> tuple[Study, Plan]:
    """The study and its plan; no data is needed for either."""
    study = load(path, profile=profile).study
    return study, build(study, study.data.dataset.declared(FINGERPRINT), {"pretrained": FINGERPRINT})


@cache
def trials(path: Path, profile: str | None) -> pl.DataFrame:
    """The rows that the table will have, without what is measured."""
    study, plan = planned(path, profile)
    rows = [
        {
            "study": study.name, "arm": trial.arm.label, "model": cell(study.model.model.written()),
            "dataset": cell(study.data.dataset.written()), **trial.arm.columns(), "seed": trial.seed,
            "sparsity": trial.sparsity, "sparsity_of": study.sweep.of,
        }
        for trial in plan.trials
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in rows[0]})


def test_every_paper_is_there() -> None:
    there = {path.stem for path in STUDIES}
    assert there >= {
        "comp6258_vgg16", "frankle_vgg16", "frankle_resnet20",
        "frankle_resnet18_tinyimagenet", "frankle_resnet50_imagenet", "james_mnist_cnn", "james_vgg16",
        "james_resnet56",
        "renda_resnet20", "renda_resnet56", "renda_resnet110", "renda_wrn16_8", "renda_cifar100", "l1_lenet5",
        "l1_lenet300", "l1_resnet18", "l1_resnet50",
    }  # fmt: skip


@EVERY
def test_the_name_is_the_files(path: Path) -> None:
    study, _ = planned(path, None)
    place = path.relative_to(ROOT / "studies").with_suffix("")
    assert study.name == "-".join(place.parts).replace("_", "-")
    assert study.title and study.source
    named = [planned(path, profile)[0].name for profile in study.profile]
    assert len({study.name, *named}) == 1 + len(named), "a profile's results have a name of their own"


@EVERY_PROFILE
def test_it_plans(path: Path, profile: str | None) -> None:
    study, plan = planned(path, profile)
    assert len(plan.trials) == len(set(plan.trials))
    assert all(placed.dense_steps > 0 for placed in plan.arms.values())
    assert 0.0 in study.sweep.asked, "the dense network is in the table"


@OF_A_PAPER
def test_one_seed_never_settles_anything(path: Path) -> None:
    assert len(planned(path, None)[0].sweep.seeds_of()) >= 3


@OF_A_PAPER
def test_a_paper_has_a_quick_profile_or_its_header_states_why_not(path: Path) -> None:
    header = path.read_text().partition("\n\n")[0]
    assert ("--profile quick" in header) is ("quick" in planned(path, None)[0].profile)
    assert ("# No quick profile: " in header) is ("quick" not in planned(path, None)[0].profile)


@QUICK
def test_a_quick_profile_asks_what_the_study_asks(path: Path) -> None:
    (full, large), (quick, small) = planned(path, None), planned(path, "quick")
    assert quick.sweep.asked == full.sweep.asked, "the paper's sparsities"
    assert len(quick.sweep.seeds_of()) == 3, "an interval needs several; three cost the least"
    assert kinds(small) == kinds(large), "the same arms"
    assert [claim.text for claim in quick.claim] == [claim.text for claim in full.claim]


def kinds(plan: Plan) -> list[tuple[str, ...]]:
    """What the arms are, by the names alone: parameters such as moments are scaled with the training."""
    names = ("criterion", "scope", "structure", "rounds", "init", "ablation", "retrain")
    columns = [trial.arm.columns() for trial in plan.trials if trial.seed == plan.trials[0].seed]
    return sorted(tuple(re.sub(r'^\{ *name = "([^"]+)".*', r"\1", str(row[name])) for name in names) for row in columns)


@QUICK
def test_a_quick_profile_needs_no_download_and_takes_minutes(path: Path) -> None:
    study, plan = planned(path, "quick")
    data, network = study.data.dataset, study.model.model
    assert data.fingerprint == Digits.fingerprint, "included in prunectl"
    images = training_steps(plan)["training_steps"] * study.train.batch_size
    flops = flops_of(network.build(data.shape, data.classes), data.shape).dense
    assert images * flops < 1.5e12, f"{images:,} images of {flops:,} FLOPs: about five minutes of two cores"
    assert len(plan.steps) < 5_000, "each is stored, too"


@OF_A_PAPER
def test_a_paper_has_claims(path: Path) -> None:
    assert planned(path, None)[0].claim


@EVERY
def test_its_published_tables_exist_and_are_about_it(path: Path) -> None:
    study, _ = planned(path, None)
    for name in study.published.tables:
        published.describe(name)
        assert not published.rows_about(trials(path, None), [name]).is_empty(), f"{name} says nothing of {path.stem}"


@EVERY_PROFILE
def test_its_claims_have_pairs_at_each_of_their_sparsities(path: Path, profile: str | None) -> None:
    study, plan = planned(path, profile)
    rows = trials(path, profile)
    for claim in study.claim:
        cases = cases_of(claim, rows, plan.arms)
        for sparsity in claim.at_sparsity or [each for each in study.sweep.asked if each > 0]:
            near = [case.pairs for case in cases.compared if abs(case.sparsity - sparsity) < 1e-4]
            assert near, f"{claim.text}: {sparsity}: {cases.none}"
            assert all(set(pairs["seed"]) == set(study.sweep.seeds_of()) for pairs in near), f"{claim.text}: {sparsity}"
            pairs = pl.concat(near).select("arm", "arm_other", "sparsity", "seed")
            assert not pairs.is_duplicated().any(), f"{claim.text}: twice"


def commands() -> list[tuple[Path, str]]:
    found = []
    for path in STUDIES:
        comments = [line[1:] for line in path.read_text().splitlines() if line.startswith("#")]
        text = "\n".join(comments).replace("\\\n", " ")
        found += [(path, line.strip()) for line in text.splitlines() if line.strip().startswith("prunectl run ")]
    return found


@pytest.mark.parametrize(("path", "line"), commands())
def test_the_commands_in_its_comments_are_right(path: Path, line: str) -> None:
    words = shlex.split(re.sub(r" {3,}\S.*$", "", re.sub(r"  +(?=--)", " ", line)))
    assert words[2] == path.relative_to(ROOT).as_posix()
    options: dict[str, list[str]] = {}
    for option, value in zip(words[3::2], words[4::2], strict=True):
        options.setdefault(option, []).append(value)
    assert options.keys() <= {"--data", "--profile", "--set", "--only"}
    study = load(path, overrides=options.get("--set", ()), profile=options.get("--profile", [None])[0]).study
    plan = build(study, study.data.dataset.declared(FINGERPRINT), {"pretrained": FINGERPRINT})
    for selector in options.get("--only", ()):
        assert only(plan, [selector]).trials
