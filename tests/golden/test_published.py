"""The published tables hold what the papers print: rows counted and columns summed in the transcriptions by other means
than those that made the tables, and single values as one reads them on the page."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from typing import Any

import polars as pl
import pytest

from prunectl.base.cells import parsed
from prunectl.base.errors import PrunectlError
from prunectl.catalog.lookup import names as catalogued
from prunectl.results.published import compared, describe, load, names, rows_about
from prunectl.results.published.load import FRACTIONS, schema
from prunectl.results.table import SCHEMA

# table: rows, of which dense without a criterion; then, by column, the transcription's sum (in percent where it is)
COUNTED: dict[str, tuple[int, int, dict[str, float]]] = {
    "comp6258-figure1": (80, 0, {"top1": 66.8594, "sparsity": 44.48}),
    "thesis-mnist-cnn": (1, 1, {}),
    "thesis-vgg16-r32": (26, 0, {"top1": 3.3724 + 0.5696, "top5": 8.5131 + 2.0395, "sparsity": 26 * 31 / 32}),
    "thesis-vgg16-r64": (26, 0, {"top1": 2.3171 + 0.2317, "top5": 7.4653 + 1.0013, "sparsity": 26 * 63 / 64}),
    "thesis-resnet56-r32": (26, 0, {"top1": 6.7290 + 2.7568, "top5": 11.7644 + 6.1332, "sparsity": 26 * 31 / 32}),
    "thesis-resnet56-r64": (26, 0, {"top1": 6.0290 + 1.5468, "top5": 11.5041 + 3.9576, "sparsity": 26 * 63 / 64}),
    "l1-lenet-mnist": (20, 2, {"top1": 11.9967 + 0.9794 + 0.9791, "sparsity": 13.32}),
    "l1-resnet-cifar10": (20, 2, {"top1": 3.5373 + 0.8936 + 0.8990, "sparsity": 13.32}),
    "renda-repro-networks": (
        6, 6,
        {"top1": 5.2029, "n_params": 272_282 + 2 * (855_578 + 1_730_522) + 10_961_370,
         "train_s": (22 + 43 + 77 + 78) * 60},
    ),
    "renda-repro-resnet110": (4, 1, {"top1": 3.7508, "sparsity": 3 * 0.893}),
    "renda2020-dense": (6, 6, {"top1": 5.219524, "median": 5.220197, "n": 1170}),
    "renda2020-retraining": (
        528, 0,
        {"top1": 464.108643, "median": 464.156335, "sd": 1.036562, "min": 463.093735, "max": 465.075873,
         "sparsity": 528 - 239.092532, "n": 1584, "retrain_epochs": 52725, "validation": 464.236715},
    ),
    "tanaka2020-figure6": (
        780, 0,
        {"top1": 434.67031, "sd": 5.97719, "min": 428.8382, "max": 440.1040, "sparsity": 642.984, "n": 2340},
    ),
    "atlas-digits": (109, 1, {"top1": 99.51324, "sparsity": 36 * (0.8 + 0.9 + 0.95), "n": 545}),
    "atlas-mnist": (106, 1, {"top1": 93.830234, "sparsity": 35 * (0.9 + 0.98 + 0.99), "n": 318}),
}  # fmt: skip

THESIS = {"dataset": "cifar10", "scope": "global"}
SPOT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("comp6258-figure1", {"criterion": "snip", "ablation": "invert", "sparsity": 0.98}, {"top1": 0.10}),
    ("comp6258-figure1", {"criterion": "grasp", "ablation": "shuffle", "sparsity": 0.9}, {"top1": 0.8901}),
    ("comp6258-figure1", {"criterion": "synflow", "ablation": "none", "sparsity": 0.3}, {"top1": 0.933}),
    ("comp6258-figure1", {"criterion": "magnitude", "ablation": "reinit", "sparsity": 0.98}, {"top1": 0.9056}),
    ("thesis-vgg16-r32", {**THESIS, "criterion": "magnitude"}, {"top1": 0.0989, "top5": 0.4945}),
    (
        "thesis-vgg16-r32",
        {**THESIS, "criterion": '{ name = "snip", wrt = "weight" }'},
        {"top1": 0.56, "top5": 0.8857, "note": None},
    ),
    ("thesis-vgg16-r64", {**THESIS, "criterion": "lamp"}, {"top1": 0.3054, "top5": 0.7555, "sparsity": 0.984375}),
    ("thesis-resnet56-r32", {"dataset": "cifar100", "criterion": "synflow"}, {"top1": 0.4260, "note": "hardly pruned"}),
    ("thesis-resnet56-r64", {**THESIS, "criterion": "lap"}, {"top1": 0.4796}),
    ("thesis-resnet56-r64", {"dataset": "cifar10", "scope": "layerwise", "criterion": "lap"}, {"top1": 0.3944}),
    ("l1-lenet-mnist", {"model": "lenet-5", "sparsity": 0.0}, {"top1": 0.9794, "note": "97.24 in the text"}),
    ("l1-lenet-mnist", {"model": "lenet-300-100", "sparsity": 0.95}, {"top1": 0.3784, "scope": "layerwise"}),
    ("l1-resnet-cifar10", {"model": "resnet-18", "sparsity": 0.5}, {"top1": 0.1739, "at": "end"}),
    ("renda-repro-networks", {"model": "wrn-16-8"}, {"top1": 0.9572, "n_params": 10_961_370, "n_prunable": 10_954_160}),
    ("renda-repro-networks", {"model": "resnet-56", "dataset": "cifar100"}, {"top1": 0.719, "train_s": None}),
    ("renda-repro-resnet110", {"retrain": "lr-rewind"}, {"top1": 0.9374, "sparsity": 0.893}),
    ("renda-repro-resnet110", {"retrain": "finetune"}, {"top1": 0.9332, "rounds": "one-shot"}),
    ("renda2020-dense", {"model": "resnet-50"}, {"top1": 0.761707, "n": 180, "dataset": "imagenet"}),
    (
        "renda2020-retraining",
        {"model": "resnet-20", "rounds": "one-shot", "retrain": "weight-rewind", "sparsity": 0.8926},
        {"top1": 0.890833, "median": 0.8915, "sd": 0.003794, "retrain_epochs": 150.0, "validation": 0.8925},
    ),
    (
        "tanaka2020-figure6",
        {
            "model": "vgg11",
            "dataset": "cifar100",
            "sparsity": 0.999,
            "criterion": '{ name = "snip", batch_norm = "eval" }',
        },
        {"top1": 0.2031, "sd": 0.03179, "min": 0.1756, "max": 0.2379, "runs": [0.1756, 0.1958, 0.2379]},
    ),
]


def test_the_tables_counted_here_are_all_there_are() -> None:
    folder = resources.files("prunectl.results.published").joinpath("data")
    assert sorted(names()) == sorted(COUNTED) == sorted(path.name.removesuffix(".csv") for path in folder.iterdir())
    assert sum(len(path.read_bytes()) for path in folder.iterdir()) < 400_000


@pytest.mark.parametrize("name", COUNTED)
def test_rows_and_sums_are_those_of_the_transcription(name: str) -> None:
    table = load(name)
    rows, dense, sums = COUNTED[name]
    assert (len(table), table["criterion"].null_count()) == (rows, dense)
    for column, total in sums.items():
        # Tanaka et al. are transcribed with five digits of a fraction, 780 times
        assert table[column].sum() == pytest.approx(total, abs=2e-3), column


@pytest.mark.parametrize(("name", "where", "expected"), SPOT)
def test_single_values_as_printed(name: str, where: dict[str, Any], expected: dict[str, Any]) -> None:
    found = load(name).filter([pl.col(column) == value for column, value in where.items()])
    assert len(found) == 1
    assert {column: found[column].to_list()[0] for column in expected} == expected


@pytest.mark.parametrize("name", COUNTED)
def test_every_table_has_the_schema_with_fractions_as_fractions(name: str) -> None:
    table = load(name)
    assert dict(table.schema) == schema()
    assert set(table["table"]) == {name}
    for column in FRACTIONS:
        assert table[column].drop_nulls().is_between(0, 1).all(), column
    runs = table["runs"].drop_nulls().explode()
    assert runs.is_between(0, 1).all()
    assert table["sparsity"].null_count() == 0
    spread = table.drop_nulls(["min", "max"])
    assert (spread["min"] <= spread["top1"] + 1e-5).all()
    assert (spread["top1"] <= spread["max"] + 1e-5).all()
    assert table.select("model", "dataset").null_count().row(0) == (0, 0)


@pytest.mark.parametrize("name", COUNTED)
def test_the_words_are_ours(name: str) -> None:
    table = load(name)
    dense = table["criterion"].is_null()
    assert (table.filter(dense)["sparsity"] == 0).all()
    allowed = {
        "criterion": set(catalogued("criteria")),
        "scope": {*catalogued("scopes"), "structured-a", "structured-b"},
        "structure": {"weights", "channels"},
        "at": {"init", "end"},
        "rounds": {"one-shot", "iterative", "exponential"},
        "ablation": {"none", "shuffle", "reinit", "invert"},
        "retrain": {"none", "finetune", "weight-rewind", "lr-rewind", "low-lr-weight-rewind"},
        "model": {*catalogued("models"), "resnet-34", "wide-resnet-18"},
        "dataset": {*catalogued("datasets"), "tiny-imagenet", "imagenet"},
    }
    for column, words in allowed.items():
        values = map(parsed, table[column].drop_nulls())
        assert {value["name"] if isinstance(value, dict) else value for value in values} <= words, column
        assert column in ("model", "dataset") or table[column].is_null().equals(dense), column


@pytest.mark.parametrize("name", COUNTED)
def test_every_table_says_where_it_is_from_and_what_to_mind(name: str) -> None:
    about = describe(name)
    assert about.title and about.source and len(about.warning) > 20
    assert set(load(name)["sparsity_of"]) == {about.of}


def test_a_chance_value_that_was_misread_is_kept_and_noted() -> None:
    table = load("thesis-vgg16-r32")
    chance = table.filter(pl.col("top1").is_in([0.0989, 0.0099]))
    assert len(chance) == 9
    assert chance["note"].str.contains("10000/10112").all()
    assert round(0.1 * 10000 / 10112, 4) == 0.0989


def test_an_unknown_name_is_told_the_nearest() -> None:
    for call in (describe, load):
        with pytest.raises(PrunectlError, match="comp6258-fig1") as caught:
            call("comp6258-fig1")
        assert caught.value.hint == "did you mean 'comp6258-figure1'?"


def test_names_and_descriptions_need_neither_polars_nor_torch() -> None:
    code = (
        "import sys; from prunectl.results import published; [published.describe(name) for name in published.names()]; "
        "assert not {'polars', 'torch'} & set(sys.modules); published.load('renda2020-dense'); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def trials(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "study": "t", "arm": "magnitude · at end · layerwise", "model": "lenet-5", "dataset": "mnist",
        "criterion": "magnitude", "scope": "layerwise", "structure": "weights", "at": "end", "rounds": "one-shot",
        "ablation": "none", "retrain": "none", "top1_dense": 0.98,
    }  # fmt: skip
    return pl.DataFrame([dict.fromkeys(SCHEMA) | usual | row for row in rows], schema=SCHEMA)


def test_an_interval_of_accuracy_ends_at_0_and_at_100_percent() -> None:
    ours = trials(
        {"seed": 1, "sparsity": 0.8, "top1": 0.99},
        {"seed": 2, "sparsity": 0.8, "top1": 0.70},
        {"seed": 3, "sparsity": 0.8, "top1": 0.70},
        {"seed": 1, "sparsity": 0.99, "top1": 0.10},
        {"seed": 2, "sparsity": 0.99, "top1": 0.15},
        {"seed": 3, "sparsity": 0.99, "top1": 0.20},
    )
    found = {row["sparsity"]: row for row in compared(ours, "l1-lenet-mnist").iter_rows(named=True)}
    # t with 2 degrees of freedom at 97.5 %: 4.3027; sd 0.1674 and 0.05
    assert (found[0.8]["low"], found[0.8]["high"]) == (pytest.approx(0.7967 - 4.3027 * 0.1674 / 3**0.5, rel=1e-3), 1.0)
    assert (found[0.99]["low"], found[0.99]["high"]) == (
        pytest.approx(0.15 - 4.3027 * 0.05 / 3**0.5, rel=1e-3),
        pytest.approx(0.15 + 4.3027 * 0.05 / 3**0.5, rel=1e-4),
    )


def test_ours_stands_beside_theirs_with_difference_and_interval() -> None:
    ours = trials(
        {"seed": 1, "sparsity": 0.9, "top1": 0.50},
        {"seed": 2, "sparsity": 0.9, "top1": 0.52},
        {"seed": 3, "sparsity": 0.9, "top1": 0.51},
        {"seed": 1, "sparsity": 0.95, "top1": 0.30},
        {"seed": 2, "sparsity": 0.95, "top1": 0.31},
        {"seed": 3, "sparsity": 0.95, "top1": 0.305},
        {"seed": 1, "sparsity": 0.99, "top1": 0.11},
        {"seed": 1, "sparsity": 0.97, "top1": None, "status": "failed"},
        {"seed": 1, "sparsity": 0.85, "top1": 0.6},
    )
    found = {row["sparsity"]: row for row in compared(ours, "l1-lenet-mnist").iter_rows(named=True)}
    assert sorted(found) == [0.0, 0.9, 0.95, 0.97, 0.99]  # nobody published 85 %
    at_90 = found[0.9]
    assert (at_90["published"], at_90["published_n"], at_90["n"]) == (0.5122, 1, 3)
    assert at_90["ours"] == pytest.approx(0.51)
    assert at_90["difference"] == pytest.approx(-0.0022)
    # t with 2 degrees of freedom at 97.5 %: 4.3027; sd 0.01
    assert at_90["high"] - at_90["ours"] == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)
    assert at_90["within"] is True
    assert found[0.95]["within"] is False  # 30.5 ± 1.2 against 22.62
    assert (found[0.99]["within"], found[0.99]["low"], found[0.99]["n"]) == (None, None, 1)
    assert (found[0.97]["ours"], found[0.97]["difference"], found[0.97]["n"]) == (None, None, 0)
    assert (found[0.0]["arm"], found[0.0]["published"], found[0.0]["ours"]) == ("dense", 0.9794, pytest.approx(0.98))
    assert found[0.0]["note"] == "97.24 in the text"


def test_arms_that_differ_from_what_was_published_are_not_beside_it() -> None:
    row = {"seed": 1, "sparsity": 0.9, "top1": 0.5, "top1_dense": None}
    for other in (
        {"criterion": "random"}, {"scope": "global"}, {"at": "init"}, {"retrain": "finetune"}, {"ablation": "shuffle"},
        {"structure": "channels"}, {"rounds": "iterative"}, {"dataset": "digits"}, {"model": "lenet-300-100"},
        {"sparsity": 0.902},
    ):  # fmt: skip
        found = compared(trials(row | other), "l1-lenet-mnist")
        assert set(found["model"]) <= {other.get("model", "lenet-5")}
        assert other.get("model") or found.filter(pl.col("sparsity") > 0).is_empty(), other


def test_parameters_that_the_paper_does_not_tell_do_not_keep_arms_apart() -> None:
    usual = {
        "model": '{ name = "resnet-110", shortcut = "projection" }', "dataset": "cifar10", "scope": "global",
        "at": "end", "sparsity": 1 - 0.8**10, "top1": 0.93,
    }  # fmt: skip
    ours = trials(
        usual | {"arm": "a", "seed": 1, "retrain": '{ name = "weight-rewind", to = { step = 7200 } }'},
        usual | {"arm": "b", "seed": 1, "retrain": "weight-rewind"},
        usual | {"arm": "c", "seed": 1, "retrain": "lr-rewind"},
    )
    found = compared(ours, "renda-repro-resnet110").filter(pl.col("sparsity") > 0)
    assert dict(found.select("arm", "published").iter_rows()) == {"a": 0.9373, "b": 0.9373, "c": 0.9374}


def test_top5_is_compared_where_it_is_published() -> None:
    row = {
        "model": "vgg16", "dataset": "cifar10", "at": "init", "criterion": "lamp", "scope": "global", "seed": 42,
        "sparsity": 0.96875, "top1": 0.3, "top5": 0.8,
    }  # fmt: skip
    found = compared(trials(row | {"sparsity_of": "all"}), "thesis-vgg16-r32", metric="top5")
    assert found.select("published", "ours").rows() == [(0.7777, 0.8)]
    assert compared(trials(row), "comp6258-figure1", metric="top5").is_empty()


def test_sparsities_of_all_parameters_are_not_compared_with_those_of_the_prunable_weights() -> None:
    """ShrinkBench counts all parameters; a dense network is the same however it is counted."""
    row = {
        "model": "vgg16", "dataset": "cifar10", "at": "init", "scope": "global", "seed": 42, "top1": 0.3,
        "criterion": "random", "sparsity": 0.9,
    }  # fmt: skip
    for of, thesis, tanaka in (("all", 26, 5), ("prunable", 0, 65), (None, 0, 65)):
        ours = trials(row | {"sparsity_of": of})
        assert (len(rows_about(ours, ["thesis-vgg16-r32"])) > 0) == (thesis > 0)
        assert len(rows_about(ours, ["tanaka2020-figure6"])) == tanaka


def test_scores_in_another_mode_of_batch_norm_are_not_compared() -> None:
    """Tanaka et al. score in evaluation."""
    row = {
        "model": "vgg16", "dataset": "cifar10", "at": "init", "scope": "global", "seed": 1, "top1": 0.3,
        "sparsity": 0.9, "top1_dense": None,
    }  # fmt: skip
    modes = {"train": "snip", "eval": '{ name = "snip", batch_norm = "eval" }'}
    found = {mode: compared(trials(row | {"criterion": cell}), "tanaka2020-figure6") for mode, cell in modes.items()}
    pruned = {mode: len(frame.filter(pl.col("sparsity") > 0)) for mode, frame in found.items()}
    assert pruned == {"train": 0, "eval": 1}


def test_only_rows_about_the_studys_networks_and_data_are_shown_with_it() -> None:
    ours = trials({"model": '{ name = "vgg16", conv_bias = true }', "dataset": "cifar10", "seed": 1, "sparsity": 0.9})
    found = rows_about(ours, ["tanaka2020-figure6", "comp6258-figure1", "l1-lenet-mnist"])
    assert found["table"].value_counts(sort=True).rows() == [("comp6258-figure1", 80), ("tanaka2020-figure6", 65)]
    assert rows_about(ours, []).schema == found.schema
