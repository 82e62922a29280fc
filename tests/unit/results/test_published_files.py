"""Published numbers in files of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import made_up
from prunectl.api.compare import compare
from prunectl.base.errors import PrunectlError
from prunectl.report import formats
from prunectl.results.published.index import describe
from prunectl.results.published.load import load, schema
from prunectl.study.load import load as load_study

HEAD = "model,dataset,criterion,sparsity,top1,n,note\n"


def table(folder: Path, text: str) -> str:
    file = folder / "theirs.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_file_has_the_columns_of_those_shipped(tmp_path: Path) -> None:
    file = table(tmp_path, f'{HEAD}vgg16,cifar10,snip,0.9,0.912,3,"one, two"\nvgg16,cifar10,,0,0.935,3,\n')
    frame = load(f"file:{file}")
    assert frame.schema == schema()
    assert frame["table"].to_list() == ["theirs.csv"] * 2
    assert frame["top1"].to_list() == [0.912, 0.935] and frame["criterion"].to_list() == ["snip", None]
    assert frame["ablation"].to_list() == ["none", "none"] and frame["note"][0] == "one, two"
    assert describe(f"file:{file}").title == "theirs.csv"


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("criterion,sparsity,top_1\nsnip,0.9,0.9\n", "theirs.csv:1: no column 'top_1'", "top1"),
        ("criterion,sparsity\nsnip,0.9\n", "theirs.csv:1: no column top1", "dense network"),
        (f"{HEAD}vgg16,cifar10,snip,0.9,91.2,3,\n", "theirs.csv:2: top1: must be a fraction from 0 to 1, not 91.2", ""),
        (f"{HEAD}\nvgg16,cifar10,snip,,0.9,3,\n", "theirs.csv:3: sparsity is missing", "dense"),
        (f"{HEAD}vgg16,cifar10,snip,0.9,0.9\n", "theirs.csv:2: 5 values for 7 columns", "quote"),
        (f"{HEAD}vgg16,cifar10,snip,0.9,0.9,three,\n", "theirs.csv:2: n: must be a whole number", ""),
        (f'{HEAD}vgg16,cifar10,"{{ name",0.9,0.9,3,\n', "theirs.csv:2: criterion: not a value of TOML", ""),
        ("", "theirs.csv:1: no column criterion", ""),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, text: str, expected: str, hint: str) -> None:
    with pytest.raises(PrunectlError) as error:
        describe(f"file:{table(tmp_path, text)}")
    assert expected in error.value.message
    assert hint in (error.value.hint or "")


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="No such file"):
        describe(f"file:{tmp_path / 'nothing.csv'}")
    with pytest.raises(PrunectlError) as error:
        describe("theirs.csv")
    assert error.value.hint == "a file is written file:theirs.csv"


def test_a_study_is_held_against_a_file_next_to_it(tmp_path: Path) -> None:
    table(tmp_path, f"{HEAD}vgg16,cifar10,snip,0.9,0.9,3,\n")
    path = tmp_path / "study.toml"
    path.write_text(made_up.STUDY.replace("SEEDS", "[1, 2]") + '\n[published]\ntables = ["file:theirs.csv"]\n')
    study = load_study(path).study
    assert study.published.tables == ("file:theirs.csv",), "as the study writes it"
    results = made_up.results(seeds=2, epochs=2)
    found = formats.published(replace(results, study=study))
    assert found is not None and found["table"].to_list() == ["theirs.csv"]
    for format_ in ("html", "md", "json"):
        assert str(tmp_path) not in str(formats.render(replace(results, study=study), format_))


def test_a_file_in_a_folder_is_shown_by_the_path_that_the_study_writes(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    file = table(tmp_path / "tables", f"{HEAD}vgg16,cifar10,snip,0.9,0.9,3,\n")
    assert describe("file:tables/theirs.csv", tmp_path).source == "tables/theirs.csv"
    assert describe(f"file:{file}").source == "theirs.csv", "no folder of the machine"


def test_a_table_of_ours_is_compared_with_a_file(tmp_path: Path) -> None:
    file = table(tmp_path, f"{HEAD}vgg16,cifar10,snip,0.9,0.9,3,\n")
    ours = tmp_path / "ours.csv"
    made_up.write_table(made_up.results(seeds=2, epochs=2).trials, ours)
    document = compare(str(ours), f"published:{file}").document()
    assert document["published"] == "theirs.csv"
    assert [row["published"] for row in document["rows"]] == [0.9]
