"""Whole tiny studies through the command line: what users rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import TINY, Ran, prunectl, write_study


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Ran]:
    """The tiny study, run once: its folder, its store, what was said."""
    folder = tmp_path_factory.mktemp("run")
    study = write_study(folder)
    return study, folder / "store", prunectl("run", study, "--json", store=folder / "store")


def test_a_run_gives_a_complete_table_and_its_files(ran: tuple[Path, Path, Ran]) -> None:
    study, _, said = ran
    assert said.code == 0, said.err
    document = said.json()
    assert len(document["trials"]) == 3 * 3 * 2
    assert {trial["status"] for trial in document["trials"]} == {"done"}
    for name in ("table.csv", "report.html"):
        assert (study.parent / "results" / "tiny" / name).stat().st_size > 1000


def test_exactly_one_dense_training_a_seed(ran: tuple[Path, Path, Ran]) -> None:
    study, store, _ = ran
    plan = prunectl("plan", study, "--json", store=store).json()
    assert plan["dense_trainings"] == 2
    assert plan["steps"]["train"]["steps"] == 2 + 3 * 2 * 2
    assert plan["training_steps"] == 14 * 8
    assert all(kind["to_do"] == 0 for kind in plan["steps"].values())


def test_a_second_run_does_nothing(ran: tuple[Path, Path, Ran]) -> None:
    """Trap 17."""
    study, store, first = ran
    again = prunectl("run", study, "--json", store=store)
    assert again.code == 0, again.err
    assert again.json()["steps"]["done"] == 0
    assert again.json()["trials"] == first.json()["trials"]


def test_sparsity_zero_is_the_baseline(ran: tuple[Path, Path, Ran]) -> None:
    """Trap 16: the same artefact, not an equal one."""
    dense = [trial for trial in ran[2].json()["trials"] if trial["sparsity"] == 0]
    assert len(dense) == 6
    for trial in dense:
        assert trial["top1"] == trial["top1_dense"]
        assert trial["sparsity_actual"] == 0
        assert trial["artefact"] == next(one["artefact"] for one in dense if one["seed"] == trial["seed"])


def test_sparsity_is_exactly_what_was_asked(ran: tuple[Path, Path, Ran]) -> None:
    for trial in ran[2].json()["trials"]:
        assert abs(trial["compression_error"]) < 1e-2  # one weight of a tiny network
        assert trial["n_effective"] <= trial["n_nonzero"] <= trial["n_params"]


def test_one_more_sparsity_runs_only_its_trials(ran: tuple[Path, Path, Ran], tmp_path: Path) -> None:
    study, store, _ = ran
    more = prunectl("plan", study, "--set", "sweep.sparsities=[0.0, 0.5, 0.7, 0.9]", "--json", store=store).json()
    assert more["steps"]["train"]["to_do"] == 3 * 2
    assert more["steps"]["score"]["to_do"] == 0
    assert more["steps"]["init"]["to_do"] == 0


def test_names_titles_and_the_order_of_keys_change_no_key(ran: tuple[Path, Path, Ran], tmp_path: Path) -> None:
    _, store, _ = ran
    text = TINY.replace('name = "tiny"', 'name = "other"\ntitle = "Another"').replace(
        "train_limit = 200\ntest_limit = 100", "test_limit = 100\ntrain_limit = 200"
    )
    plan = prunectl("plan", write_study(tmp_path, text), "--json", store=store).json()
    assert all(kind["to_do"] == 0 for kind in plan["steps"].values())


def test_a_plan_says_why_and_what_changed(ran: tuple[Path, Path, Ran]) -> None:
    study, store, _ = ran
    said = prunectl("plan", study, "--set", "train.lr=0.07", store=store)
    assert "recipe.lr 0.05 → 0.07" in said.out
    assert "never made" in said.out


@pytest.mark.parametrize("name", ["manifest.json", "state.safetensors", "metrics.json", "mask.safetensors"])
def test_a_flipped_byte_is_found_and_made_again(ran: tuple[Path, Path, Ran], name: str) -> None:
    study, store, first = ran
    for file in sorted(store.glob(f"objects/*/*/{name}"))[:3]:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.chmod(0o644)
        file.write_bytes(content)
    checked = prunectl("cache", "verify", store=store)
    assert checked.code == 4
    assert "3 damaged" in checked.out
    again = prunectl("run", study, "--json", store=store)
    assert again.code == 0, again.err
    assert timeless(again) == timeless(first)
    assert prunectl("cache", "verify", store=store).code == 0


def test_damage_met_while_running_is_mended_on_the_way(ran: tuple[Path, Path, Ran]) -> None:
    """A damaged parent is found by the step that starts from it, and a damaged result by the table."""
    study, store, first = ran
    for name in ("scores.safetensors", "metrics.json"):
        for file in store.glob(f"objects/*/*/{name}"):
            file.chmod(0o644)
            file.write_bytes(b"x" + file.read_bytes()[1:])
    more = prunectl("run", study, "--json", "--set", "sweep.sparsities=[0.0, 0.5, 0.9, 0.95]", store=store)
    assert more.code == 0, more.err
    again = prunectl("run", study, "--json", store=store)
    assert timeless(again) == timeless(first)


def test_the_number_of_jobs_changes_no_bit(ran: tuple[Path, Path, Ran], tmp_path: Path) -> None:
    study, _, first = ran
    other = prunectl("run", study, "--json", "--jobs", "1", "--only", "criterion=snip", store=tmp_path / "store")
    want = [trial for trial in timeless(first) if trial["criterion"] == "snip"]
    assert timeless(other) == want


def test_stages_print_what_they_made(ran: tuple[Path, Path, Ran]) -> None:
    study, store, _ = ran
    assert prunectl("train", study, store=store).out.count("baseline seed") == 2
    masks = prunectl("prune", study, "--layers", "--only", "criterion=snip,seed=1,sparsity=0.9", store=store).out
    assert "on a path from input to output" in masks
    ablated = prunectl("ablate", study, "--json", store=store).json()["rows"]
    assert all(layer["moved"] > 0 for row in ablated for layer in row["layers"] if 0 < layer["kept"] < layer["n"])
    assert prunectl("retrain", study, store=store).out.count("top-1") == 18


def test_cache_gc_keeps_what_a_study_needs(ran: tuple[Path, Path, Ran]) -> None:
    study, store, _ = ran
    gone = prunectl("cache", "gc", study, "--set", "sweep.sparsities=[0.0, 0.5]", "--dry-run", store=store)
    assert gone.code == 0 and "would free" in gone.out
    assert prunectl("cache", "gc", study, "--yes", store=store).code == 0
    plan = prunectl("plan", study, "--json", store=store).json()
    assert all(kind["to_do"] == 0 for kind in plan["steps"].values())


def test_the_stores_listing_is_json(ran: tuple[Path, Path, Ran]) -> None:
    listed = prunectl("cache", "ls", "--json", store=ran[1]).json()["artefacts"]
    shown = json.loads(prunectl("cache", "show", listed[0]["key"][:20], store=ran[1]).out)
    assert shown["key"] == listed[0]["key"]
    assert shown["preimage"]["kind"] == listed[0]["kind"]


def timeless(said: Ran) -> list[dict[str, object]]:
    """The table without the columns that tell of time."""
    return [
        {key: value for key, value in trial.items() if key not in ("train_s", "score_s")}
        for trial in said.json()["trials"]
    ]
