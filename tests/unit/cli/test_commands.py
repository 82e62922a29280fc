"""The short commands: export, list, schema, new, doctor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.catalog import lookup, tables
from prunectl.cli.export import show

Prunectl = Callable[..., Any]


def test_one_network_is_exported(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("export", "STUDY", "--only", "criterion=random,sparsity=0.5")
    assert said.code == 0, said.err
    assert "one bit per prunable weight" in said.out
    assert said.err == "wrote results/small+criterion=random,sparsity=0.5/export\n"
    document = prunectl("export", "STUDY", "--only", "criterion=random,sparsity=0.5", "-o", "x", "--json").json()
    assert (document["folder"], document["trial"]["criterion"]) == ("x", "random")


def test_several_networks_are_refused_with_a_way_to_choose(prunectl: Prunectl) -> None:
    said = prunectl("export", "STUDY", "--only", "criterion=random")
    assert said.code == 2
    assert "choose one: --only 'criterion=random,sparsity=0.5'" in said.err


def test_a_compact_network_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    small = {"parameters": 10, "channels": 8, "channels_dense": 8, "difference": 1e-7, "images": 4}
    document = {
        "parameters": 20, "nonzero": 10, "compact": small, "files": {"compact.safetensors": {"size_bytes": 1500}},
    }  # fmt: skip
    show(document, Path("out"))
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "compact.safetensors      1.5 kB  10 parameters, dense",
        "channels: 8 of 8; outputs differ by at most 1.0e-07 on 4 random images",
    ]


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_a_compact_network_that_is_not_smaller_is_reported(prunectl: Prunectl, json_: tuple[str, ...]) -> None:
    exported = prunectl("export", "STUDY", "--only", "criterion=random,sparsity=0.5", "--compact", "-o", "o", *json_)
    assert exported.code == 0, exported.err
    assert "no whole channel is pruned: the compact network is as large as the dense one" in exported.err


def test_entries_are_listed_with_their_defaults(prunectl: Prunectl) -> None:
    out = prunectl("list", "criteria").out
    assert "samples_per_class = 10" in out
    snip = next(row for row in prunectl("list", "criteria", "--json").json() if row["name"] == "snip")
    assert set(snip) == {"name", "summary", "version", "parameters", "broken"}
    assert "samples_per_class" in snip["parameters"]


def test_a_default_without_a_value_is_said_in_words(prunectl: Prunectl) -> None:
    assert "resize = not given" in prunectl("list", "datasets").out
    assert 'test = "val"' in prunectl("list", "datasets").out


@pytest.mark.parametrize("catalog", tables.CATALOGS)
def test_every_catalogue_is_listed_with_defaults_as_a_study_writes_them(prunectl: Prunectl, catalog: str) -> None:
    listed = prunectl("list", catalog)
    assert listed.code == 0, listed.err
    assert all(f"\n{name} " in f"\n{listed.out}" for name in lookup.names(catalog))


def test_a_default_that_is_a_table_is_listed_without_its_empty_keys(prunectl: Prunectl) -> None:
    assert 'to must be given, from = "init", every = { steps = 100 }' in prunectl("list", "rounds").out


def test_published_tables_are_listed_with_their_notes(prunectl: Prunectl) -> None:
    assert "comp6258-figure1       80    cifar10" in prunectl("list", "published").out
    table = prunectl("list", "published", "--json").json()[0]
    assert {"name", "title", "source", "warning", "of", "rows", "models", "datasets"} == set(table)
    out = prunectl("list", "published", "thesis-vgg16-r32").out
    assert (
        "\nJames (2022)" in out
        and "\nnote: " in out
        and "\n26 rows, all of them with model vgg16, structure weights, " in out
    )
    assert prunectl("list", "published", "thesis-vgg16-r32", "--json").json()["numbers"][0]["model"] == "vgg16"
    wrong = prunectl("list", "published", "thesis-vgg16-r23")
    assert (wrong.code, "did you mean 'thesis-vgg16-r32'?" in wrong.err) == (2, True)


def test_list_alone_is_an_overview(prunectl: Prunectl) -> None:
    ran = prunectl("list")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("criteria       random, magnitude")
    assert all(f"\n{kind} " in f"\n{ran.out}" for kind in (*tables.CATALOGS, "published", "studies"))
    assert prunectl("list", "--json").json()["executors"] == lookup.names("executors")


def test_one_entry_is_listed_alone(prunectl: Prunectl) -> None:
    assert prunectl("list", "criteria", "snip").out.startswith("snip  ")
    assert "did you mean snip?" in prunectl("list", "criteria", "snipp").err


def test_installed_studies_are_listed_and_run_by_name(prunectl: Prunectl) -> None:
    listed = {row["name"]: row for row in prunectl("list", "studies", "--json").json()}
    assert listed["comp6258-vgg16"]["profiles"]
    assert "smoke " in prunectl("list", "studies").out
    assert "network   tiny-cnn\n" in prunectl("list", "studies", "smoke").out
    assert prunectl("plan", "smoke").out.startswith("smoke: ")
    wrong = prunectl("plan", "smok")
    assert wrong.code == 2
    assert "no study of that name was installed" in wrong.err and "did you mean smoke?" in wrong.err


def test_the_schema_is_json(prunectl: Prunectl) -> None:
    assert "properties" in prunectl("schema").json()


def test_a_new_study_says_how_to_run_it(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("new", "mine")
    assert (said.code, said.err) == (0, "wrote mine.toml; run it with `prunectl run mine.toml`\n")
    assert prunectl("plan", "mine.toml").code == 0
    assert prunectl("new", "mine").code == 2
    assert "invalid study name 'My'" in prunectl("new", "My").err


def test_the_doctor_reports_in_lines_or_as_json(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.api.doctor.findings", lambda store, data: {"cores": 2, "CUDA devices": "none"})
    assert prunectl("doctor").out == "cores         2\nCUDA devices  none\n"
    assert prunectl("doctor", "--json").json() == {"cores": 2, "CUDA devices": "none"}
