"""Studies of channels through the command line: masks of whole channels, retrained, and taken away smaller."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import prunectl, write_study

STUDY = """\
name = "channels"
[data]
name = "digits"
train_limit = 200
test_limit = 100
[model]
name = "tiny-cnn"
[train]
epochs = 2
batch_size = 50
lr = 0.05
[sweep]
sparsities = [0.0, 0.8]
seeds = [1]
[[prune]]
criterion = "magnitude"
structure = ["weights", "channels"]
scope = "layerwise"
at = "end"
retrain = "lr-rewind"
ablation = ["none", "shuffle"]
[[prune]]
criterion = "synflow"
structure = "channels"
at = "init"
"""
ONE = "criterion=magnitude,structure=channels,ablation=none,sparsity=0.8"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The study, done: its file and its store."""
    folder = tmp_path_factory.mktemp("channels")
    study = write_study(folder, STUDY)
    ran = prunectl("retrain", study, "--json", store=folder / "store")
    assert ran.code == 0, ran.err
    assert len(ran.json()["rows"]) == 10
    return study, folder / "store"


def test_channels_go_as_a_whole_and_layers_alike(made: tuple[Path, Path]) -> None:
    study, store = made
    rows = prunectl("ablate", study, "--json", "--only", "structure=channels,sparsity=0.8", store=store).json()["rows"]
    assert rows[0]["sparsity_actual"] == pytest.approx(0.8, abs=0.02)
    assert {layer["name"] for layer in rows[0]["layers"]} == {"conv1.weight", "conv2.weight", "head.weight"}
    plain = prunectl("prune", study, "--json", "--only", ONE, store=store).json()["rows"][0]
    assert [layer["kept"] for layer in rows[0]["layers"]] == [layer["kept"] for layer in plain["layers"]]
    assert plain["n_effective"] == plain["n_kept"]


def test_export_takes_one_network_away(made: tuple[Path, Path], tmp_path: Path) -> None:
    study, store = made
    out = tmp_path / "out"
    ran = prunectl("export", study, "--only", ONE, "--output", out, "--compact", "--json", store=store)
    assert ran.code == 0, ran.err
    document = ran.json()
    assert json.loads((out / "network.json").read_text())["compact"] == document["compact"]
    assert document["compact"]["difference"] <= 1e-5
    assert document["compact"]["parameters"] == document["nonzero"] < 0.3 * document["parameters"]
    assert sorted(path.name for path in out.iterdir()) == sorted([*document["files"], "network.json"])


def test_export_says_what_to_choose_from_and_what_is_missing(made: tuple[Path, Path]) -> None:
    study, store = made
    several = prunectl("export", study, "--only", "criterion=magnitude,structure=channels,sparsity=0.8", store=store)
    assert several.code == 2
    assert "2 are left: ablation is none, shuffle" in several.err
    assert "sparsity=0.8,ablation=none'" in several.err
    missing = prunectl("export", study, "--only", ONE + ",seed=2", "--set", "sweep.seeds=[2]", store=store)
    assert missing.code == 2
    assert "has not been made yet" in missing.err


N_OF_M = """\
name = "n-of-m"
[data]
name = "digits"
train_limit = 200
test_limit = 100
[model]
name = "tiny-cnn"
[train]
epochs = 1
batch_size = 50
lr = 0.05
[sweep]
sparsities = [0.0, 0.5]
seeds = [1]
[[prune]]
criterion = "snip"
structure = { name = "n-of-m", n = 2, m = 4 }
ablation = ["none", "shuffle"]
[[prune]]
criterion = "snip"
ablation = ["none", "shuffle-global"]
[prunable]
exclude = ["conv1"]
"""


def test_n_of_m_and_a_mask_shuffled_over_the_whole_network(tmp_path: Path) -> None:
    study, store = write_study(tmp_path, N_OF_M), tmp_path / "store"
    ran = prunectl("retrain", study, "--json", store=store)
    assert ran.code == 0, ran.err
    assert len(ran.json()["rows"]) == 8
    rows = prunectl("ablate", study, "--json", store=store).json()["rows"]
    blocks, alike = rows
    assert blocks["arm"] == "snip · at init · n-of-m(n=2, m=4) · shuffle"
    assert [layer["sparsity"] for layer in blocks["layers"]] == [0.5, 0.5]
    assert alike["arm"] == "snip · at init · shuffle-global"
    assert alike["sparsity_actual"] == 0.5
    assert all(layer["sparsity"] == pytest.approx(0.5, abs=0.05) for layer in alike["layers"])
    assert all(layer["moved"] > 0.2 for row in rows for layer in row["layers"])


def test_a_layer_that_does_not_divide_is_named_with_the_line_to_write(tmp_path: Path) -> None:
    study = write_study(tmp_path, N_OF_M.replace('exclude = ["conv1"]', ""))
    ran = prunectl("prune", study, "--only", "structure=n-of-m", store=tmp_path / "store")
    assert ran.code == 2
    assert 'conv1 has 1; leave such layers dense with [prunable] exclude = ["conv1"]' in ran.err


def test_a_sparsity_that_n_of_m_does_not_have_is_refused_with_its_place(tmp_path: Path) -> None:
    study = write_study(tmp_path, N_OF_M.replace("[0.0, 0.5]", "[0.0, 0.6]"))
    ran = prunectl("plan", study, store=tmp_path / "store")
    assert ran.code == 2
    assert "the only sparsities of n-of-m(n=2, m=4) are 0 and 0.5, not 0.6" in ran.err
    assert "study.toml:17" in ran.err


def test_a_scope_of_single_weights_is_refused_with_its_place(tmp_path: Path) -> None:
    text = STUDY.replace('scope = "layerwise"', 'scope = "erk"')
    ran = prunectl("plan", write_study(tmp_path, text), store=tmp_path / "store")
    assert ran.code == 2
    assert "spreads single weights, not channels" in ran.err
    assert "study.toml:18" in ran.err
