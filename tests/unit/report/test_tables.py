"""The tables behind every format: all trials, resources, and the rows of a comparison."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report import arms, tables
from prunectl.results.compare import Cell, compare
from prunectl.results.published.against import Held
from prunectl.results.published.index import describe
from prunectl.results.table import RESOURCES, SCHEMA
from unit.report import small

TRIALS = small.swept()


def test_the_listing_leaves_out_columns_with_one_value_and_names_them() -> None:
    listing = tables.listing(TRIALS)
    heads = [column.head for column in listing.columns]
    assert heads == ["criterion", "seed", "sparsity %", "compression", "top-1 %", "to dense", "artefact"]
    assert dict(listing.constant) == {
        "study": "small", "model": "lenet", "dataset": "digits", "scope": "global", "structure": "weights",
        "at": "init", "rounds": "one-shot", "init": "kaiming-normal", "ablation": "none", "retrain": "none",
        "status": "done",
    }  # fmt: skip
    assert len(listing.rows) == TRIALS.height
    assert listing.rows[-1] == ("snip", "3", "90", "10", "80.30", "−9.70", "snip · at in")


def test_the_listing_ends_after_its_maximum_but_its_columns_are_those_of_all_trials() -> None:
    many = small.swept(seeds=range(tables.LISTED))
    late = many.with_columns(reason=pl.when(pl.int_range(pl.len()) == pl.len() - 1).then(pl.lit("out of memory")))
    listing = tables.listing(late)
    assert listing.total == many.height > tables.LISTED == len(listing.rows) == len(listing.statuses)
    whole = tables.listing(many.head(tables.LISTED))
    assert whole.total == len(whole.rows) == tables.LISTED
    heads = [column.head for column in listing.columns]
    assert {"criterion", "sparsity %", "reason"} <= set(heads), "the first trials differ in none of them"
    assert "criterion" not in [column.head for column in whole.columns]
    assert "criterion" not in dict(listing.constant)


def test_a_single_reason_is_worth_a_column() -> None:
    failed = TRIALS.with_columns(
        reason=pl.when(pl.col("seed") == 1).then(pl.lit("out of memory")),
        status=pl.when(pl.col("seed") == 1).then(pl.lit("failed")).otherwise("status"),
    )
    listing = tables.listing(failed)
    assert {"reason", "status"} <= {column.name for column in listing.columns}
    assert listing.statuses[:3] == ("failed", "done", "done")


def test_a_trial_without_a_status_is_missing() -> None:
    assert set(tables.listing(TRIALS.with_columns(status=pl.lit(None, pl.String))).statuses) == {"missing"}


def test_an_empty_study_has_a_listing_without_rows() -> None:
    listing = tables.listing(pl.DataFrame(schema=SCHEMA))
    assert (listing.rows, listing.statuses, listing.constant) == ((), (), ())


def test_every_column_of_the_listing_is_one_of_the_table() -> None:
    names = [column.name for column in tables.COLUMNS]
    assert set(names) - set(SCHEMA) == {"change"}
    assert set(arms.COLUMNS) < set(names) and len(set(names)) == len(names)


def test_collapsed_layers_and_sizes_are_written_for_people() -> None:
    one = small.trials({"layers_collapsed": ["fc", "conv"], "size_bytes": 123_456, "flops": 1.5e9, "n_nonzero": 5000})
    columns = {column.name: column for column in tables.COLUMNS}
    texts = {name: columns[name].write(one[name].to_list()[0]) for name in columns.keys() & SCHEMA.keys()}
    assert texts["layers_collapsed"] == "fc, conv"
    assert (texts["size_bytes"], texts["flops"], texts["n_nonzero"]) == ("123.5", "1,500.00", "5,000")


def test_resources_are_texts_with_units() -> None:
    kind = {"kind": "score", "criterion": "snip", "steps": 1200, "made": 1000, "reused": 200, "wall_s": 90.0,
            "cpu_s": 180.0, "energy_j": 7200.0, "peak_bytes": 2_400_000, "unshared": 2400, "unshared_s": 7200.0,
            "device": "cpu"}  # fmt: skip
    (texts,) = tables.resource_rows(pl.DataFrame([dict.fromkeys(RESOURCES) | kind], schema=RESOURCES))
    assert texts == (
        "score", "snip", "1,200", "1,000", "200", "90.0 s", "3 min", "2 Wh", "2.4 MB", "2,400", "2.0 h", "cpu",
    )  # fmt: skip
    assert len(texts) == len(tables.RESOURCE_HEADS)


def test_resources_that_nobody_knows_are_dashes() -> None:
    (texts,) = tables.resource_rows(pl.DataFrame([dict.fromkeys(RESOURCES) | {"kind": "init"}], schema=RESOURCES))
    assert texts == ("init", "", "0", "0", "0", "–", "–", "–", "–", "0", "–", "")


def cells(seeds: list[int]) -> tuple[Cell, ...]:
    other = TRIALS.with_columns(top1=pl.col("top1") + 0.01 * pl.col("seed")).filter(pl.col("seed").is_in(seeds))
    return compare(TRIALS, other, names=("a", "b")).sides[0].cells


def test_a_case_has_both_accuracies_the_difference_and_its_interval() -> None:
    cell = next(cell for cell in cells([1, 2, 3]) if cell.arm == "snip · at init" and cell.sparsity == 0.9)
    assert tables.case(cell) == ("90 %", "80.20", "82.20", "+2.00", "−0.48 to +4.48", "3")
    assert len(tables.case(cell)) == len(tables.case_heads("B"))


def test_a_case_of_one_seed_has_no_interval() -> None:
    assert tables.case(cells([2])[0])[tables.CASE_INTERVAL :] == ("–", "1")


def test_heads_name_the_tables() -> None:
    assert tables.case_heads("C") == ("sparsity", "A %", "C %", "C − A", "95 % t-interval", "seeds")
    assert tables.published_heads("C")[2] == "C %"
    assert tables.case_heads("C")[tables.CASE_SEEDS] == tables.published_heads("C")[tables.CASE_SEEDS] == "seeds"


NUMBER: dict[str, Any] = {
    "model": "vgg16", "dataset": "cifar10", "arm": "snip", "sparsity": 0.9, "published": 0.92, "ours": 0.93,
    "difference": 0.01, "low": 0.925, "high": 0.935, "n": 3, "within": False, "at_chance": None,
}  # fmt: skip


def test_a_published_number_has_ours_and_the_interval_of_the_difference() -> None:
    assert tables.published(NUMBER) == ("90 %", "92.00", "93.00", "+1.00", "+0.50 to +1.50", "3")
    missing = NUMBER | dict.fromkeys(("ours", "difference", "low", "high")) | {"n": 0}
    assert tables.published(missing) == ("90 %", "92.00", "–", "–", "–", "0")
    assert tables.published(NUMBER | {"at_chance": True})[2] == "93.00ᶜ"


@pytest.mark.parametrize(("within", "text"), [(None, ""), (True, "yes"), (False, "no")])
def test_whether_our_interval_holds_the_published_number(within: bool | None, text: str) -> None:
    assert tables.within(NUMBER | {"within": within}) == text


def test_networks_are_named_only_where_there_are_several() -> None:
    def named(*rows: dict[str, Any]) -> list[str]:
        held = Held(name="t", about=describe("comp6258-figure1"), ours="A", rows=rows)
        return tables.published_arms(held)

    assert named(NUMBER, NUMBER) == ["snip", "snip"]
    assert named(NUMBER, NUMBER | {"model": "resnet20"}) == ["snip · vgg16", "snip · resnet20"]
    assert named(NUMBER, NUMBER | {"dataset": None}) == ["snip · cifar10", "snip"]
    assert named() == []


def test_what_tells_two_tables_apart_is_in_words() -> None:
    epoch, step = (TRIALS.with_columns(at=pl.lit(at)) for at in ("{ epoch = 4 }", "{ step = 9 }"))
    (side,) = compare(epoch, step, names=("a", "b")).sides
    assert tables.differing(side) == {"at": ("epoch 4", "step 9")}
