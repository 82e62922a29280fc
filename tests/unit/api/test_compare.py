"""Studies, results files and published numbers compared from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import made_up
from prunectl.api.compare import compare
from prunectl.api.run import Completed
from prunectl.api.studies import study_file
from prunectl.base.errors import PrunectlError


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("tables")
    trials = made_up.results(seeds=2, epochs=2).trials
    for name in ("a.csv", "b.parquet"):
        made_up.write_table(trials, folder / name)
    return [str(folder / name) for name in ("a.csv", "b.parquet")]


def test_two_tables_are_paired(tables: list[str]) -> None:
    compared = compare(*tables)
    document = compared.document()
    assert [source.name for source in compared.sources] == tables
    assert document["first"] == tables[0]
    assert document["published"] == []


def test_one_table_next_to_published_numbers_is_only_that(tables: list[str]) -> None:
    compared = compare(tables[0], "published:comp6258-figure1")
    assert compared.comparison is None
    assert compared.document()["published"] == "comp6258-figure1"
    both = compare(*tables, "published:comp6258-figure1")
    assert [entry["ours"] for entry in both.document()["published"]] == ["A", "B"]


def test_a_study_brings_its_keys_and_its_text(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    folder, _ = completed
    other = tmp_path / "other.toml"
    shutil.copy(folder / "study.toml", other)
    other.write_text(other.read_text().replace("lr = 0.05", "lr = 0.06"))
    compared = compare(str(folder / "study.toml"), str(other), store=folder / "store")
    assert "lr = 0.06" in compared.sources[1].text
    assert "train.lr" in str(compared.document())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.csv"], "two or more"),
        (["published:comp6258-figure1", "published:tanaka2020-figure6"], "yours"),
        (["a.csv"] * 13, "the maximum is 12"),
        (["a.csv", "published:nothing"], "no published table"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused_before_any_is_read(names: list[str], expected: str) -> None:
    with pytest.raises(PrunectlError, match=expected):
        compare(*names)


def test_a_part_and_profiles_of_studies_are_compared(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    folder, _ = completed
    study = tmp_path / "study.toml"
    text = (folder / "study.toml").read_text()
    study.write_text(f'{text}\n[profile.quick]\n"train.lr" = 0.06\n')
    both = compare(f"{study}@quick", str(study), only="sparsity=0.5", store=folder / "store")
    assert [source.full for source in both.sources] == [
        f"{study}@quick --profile quick --only sparsity=0.5", f"{study} --only sparsity=0.5",
    ]  # fmt: skip
    assert {sparsity for source in both.sources for sparsity in source.trials["sparsity"]} == {0.5}
    assert "train.lr" in str(both.document()["sides"][0]["keys"])


def test_no_part_of_results_files_can_be_selected(tables: list[str]) -> None:
    with pytest.raises(PrunectlError, match="of results files no part can be selected"):
        compare(*tables, only="sparsity=0.5")


def test_studies_are_named_as_in_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    installed = compare("smoke", "published:atlas-digits", store=tmp_path / "store")
    assert installed.sources[0].name == "smoke" and 'name = "smoke"' in installed.sources[0].text
    shutil.copy(study_file("smoke"), "mine.toml")
    with Path("mine.toml").open("a", encoding="utf-8") as file:
        file.write('\n[profile.short]\n"train.lr" = 0.06\n')
    both = compare("mine", "mine@short", store=tmp_path / "store")
    assert [source.full for source in both.sources] == ["mine", "mine@short --profile short"]
    assert "train.lr" in str(both.document()["sides"][0]["keys"])


def test_a_study_that_is_not_known_is_reported_with_the_nearest_name() -> None:
    with pytest.raises(PrunectlError, match="smoek does not exist") as error:
        compare("smoek", "published:atlas-digits")
    assert "smoke" in str(error.value.hint)
