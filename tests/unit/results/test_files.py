"""The table as CSV, JSON and Parquet: the same columns, types and values in each."""

from __future__ import annotations

import json
import math
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import made_up
from prunectl.base.errors import PrunectlError
from prunectl.results.table import SCHEMA
from prunectl.results.table_files import read_table, to_csv, to_json


def awkward() -> pl.DataFrame:
    """Values that formats like to lose: no list and an empty one, infinity, NaN, quotes, an empty text, 1/3."""
    trials = made_up.results(seeds=2).trials.head(8)
    odd: dict[str, list[object]] = {
        "layers_collapsed": [None, [], ["a"], ["a", "b.1"], [], [], [], []],
        "compression_actual": [math.inf, -math.inf, math.nan, None, 1 / 3, 0.0, -0.0, 1e-300],
        "reason": ['=1+1, "quoted"\nand more', "", None, "−;–", "\u202e", "'", "@", "+"],
        "n_params": [2**62, None, 0, 1, 2, 3, 4, 5],
    }
    return trials.with_columns(pl.Series(name, values, SCHEMA[name]) for name, values in odd.items())


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_table_comes_back_as_it_was(suffix: str, tmp_path: Path) -> None:
    trials = awkward()
    made_up.write_table(trials, tmp_path / f"t.{suffix}")
    with pytest.raises(PrunectlError, match="compression_actual is not a number in row 4"):
        read_table(tmp_path / f"t.{suffix}")
    trials = trials.with_columns(pl.Series("compression_actual", [math.inf, None, None, None, 1 / 3, 0.0, 1e-300, 2.0]))
    made_up.write_table(trials, tmp_path / f"t.{suffix}")
    back = read_table(tmp_path / f"t.{suffix}")
    assert back.schema == pl.Schema(SCHEMA)
    assert_frame_equal(back, trials, check_exact=True)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_table_without_trials_comes_back(suffix: str, tmp_path: Path) -> None:
    trials = pl.DataFrame(schema=SCHEMA)
    made_up.write_table(trials, tmp_path / f"t.{suffix}")
    assert_frame_equal(read_table(tmp_path / f"t.{suffix}"), trials)


def test_csv_and_json_read_by_anybody() -> None:
    trials = awkward()
    header, first, *_ = to_csv(trials).splitlines()
    assert header == ",".join(SCHEMA)
    assert first.startswith("made-up,")
    rows = json.loads(to_json(trials))
    assert [row["layers_collapsed"] for row in rows[:4]] == [None, [], ["a"], ["a", "b.1"]]
    assert [row["compression_actual"] for row in rows[:4]] == ["inf", "-inf", "nan", None]


def test_columns_of_a_later_version_are_left_out_and_missing_ones_are_null(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("criterion,ablation,seed,sparsity,top1,novel\nsnip,none,1,0.9,0.5,x\n")
    back = read_table(tmp_path / "t.csv")
    assert back.schema == pl.Schema(SCHEMA)
    assert back["top1"].to_list() == [0.5]
    assert back["loss"].to_list() == [None]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.txt", b"", "does not end in"),
        ("t.csv", b"a,b\n1,2\n", "has no column criterion"),
        ("t.csv", b"", "is not a table of results"),
        ("t.csv", b"criterion,ablation,seed,sparsity,top1\nsnip,none,one,0.9,0.5\n", "is not a table of results"),
        ("t.csv", b"\xff\xfe\x00\x00,\x80", "has no column criterion"),
        ("t.json", b"{}", "is not a list of trials"),
        ("t.json", b"[1]", "is not a list of trials"),
        ("t.json", b"[" * 100_000, "is not a table of results"),
        ("t.json", b'[{"criterion": 1, "ablation": [], "seed": "x", "sparsity": {}, "top1": 1}]', "table of results"),
        ("t.parquet", b"PAR1 not really", "is not a table of results"),
        ("t.parquet", b"PAR1" + bytes(range(256)) + b"\x08\x01\x00\x00PAR1", "is not a table of results"),
    ],
)
def test_bad_files_are_named_with_a_reason(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PrunectlError) as caught:
        read_table(path)
    assert told in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint is not None or name == "t.txt"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(PrunectlError, match="cannot be read"):
        (tmp_path / "folder.csv").mkdir()
        read_table(tmp_path / "folder.csv")


HEAD = "criterion,ablation,seed,sparsity,top1,n_params,loss\n"


def table(tmp_path: Path, rows: str) -> Path:
    (tmp_path / "t.csv").write_text(HEAD + rows)
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("rows", "message", "hint"),
    [
        (
            "snip,none,1,0.9,80.5,,\n",
            "top1 is 80.5 in row 2: it is a fraction, from 0 to 1",
            "divide percentages by 100",
        ),
        ("snip,none,1,0.9,0.5,,\n" + "snip,none,2,90,0.5,,\n" * 4, "sparsity is 90.0 in rows 3, 4, 5, ...", "divide"),
        ("snip,none,1,0.9,-0.5,,\n", "top1 is -0.5 in row 2: it is never negative", None),
        ("snip,none,1,0.9,0.5,-3,\n", "n_params is -3.0 in row 2: it is never negative", None),
        ("snip,none,1,0.9,nan,,\n", "top1 is not a number in row 2", "leave the cell empty"),
        ("snip,none,1,0.9,0.5,,inf\n", "loss is not a number in row 2", "leave the cell empty"),
        ("snip,none,1,0.9,0.5,3.5,\n", "n_params holds 3.5, which is not a whole number", "prunectl report"),
        ("snip,none,1,0.9,0.5,nan,\n", "n_params holds nan, which is not a whole number", "prunectl report"),
        (
            "snip,none,1,0.9,0.5,,\nsnip,none,1,0.9,0.6,,\n",
            "2 rows that contradict each other: snip at sparsity 0.9, seed 1, has top-1 0.5 and 0.6",
            "add the columns in which they differ",
        ),
    ],
)
def test_values_that_no_trial_has_are_refused(rows: str, message: str, hint: str | None, tmp_path: Path) -> None:
    with pytest.raises(PrunectlError) as caught:
        read_table(table(tmp_path, rows))
    assert message in caught.value.message
    assert (caught.value.hint is None) if hint is None else (hint in (caught.value.hint or ""))


def test_whole_numbers_as_pandas_writes_them_are_read(tmp_path: Path) -> None:
    read = read_table(table(tmp_path, f"snip,none,1.0,0.9,0.5,6138.0,\nsnip,none,2,0.9,0.5,{2**62 + 1},\n"))
    assert read["seed"].to_list() == [1, 2]
    assert read["n_params"].to_list() == [6138, 2**62 + 1]


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    assert len(read_table(table(tmp_path, "snip,none,1,0.9,0.5,,\n" * 2))) == 1


def test_what_ends_the_reader_of_parquet_ends_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr("prunectl.results.parquet.READ", "import os; os.abort()")
    with pytest.raises(PrunectlError, match="it is damaged, or not a Parquet file"):
        read_table(tmp_path / "t.parquet")
