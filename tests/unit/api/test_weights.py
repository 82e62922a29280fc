"""Studies that begin with the weights of a file: trained, known by content, and refused with the reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from prunectl.api.check import Checked, check
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.models.initialization import initialize
from prunectl.models.tiny import TinyCnn
from prunectl.plan.steps import Init
from prunectl.study.jsonschema import json_schema
from prunectl.study.load import validate
from prunectl.training.state import MODEL
from small import HERE, SMALL

FILE = "weights.safetensors"
LOADING = SMALL.replace('name = "tiny-cnn"', f'name = "tiny-cnn"\ninit = {{ weights = "{FILE}" }}')


def weights(seed: int = 5) -> dict[str, torch.Tensor]:
    network = TinyCnn().build((1, 8, 8), 10)
    initialize(network, init="orthogonal", bn_init="uniform", generator=torch.Generator().manual_seed(seed))
    return network.state_dict()


def opened(folder: Path, text: str = LOADING, **options: Any) -> Session:
    (folder / "small.toml").write_text(text)
    return open_study(folder / "small.toml", store=folder / "store", **options)


def begin(folder: Path, **changed: torch.Tensor) -> None:
    save_file(weights() | changed, folder / FILE)


def inits(session: Session) -> list[str]:
    return [key for key, step in session.plan.steps.items() if isinstance(step, Init)]


def test_every_seed_is_trained_from_the_weights_of_the_file(tmp_path: Path) -> None:
    begin(tmp_path)
    session = opened(tmp_path, LOADING.replace("seeds = [1]", "seeds = [1, 2]"))
    (key,) = inits(session)
    completed = complete(session, HERE)
    table = completed.results.trials
    assert set(table["status"]) == {"done"} and len(table) == 8
    assert set(table["init"]) == {f'{{ weights = "{FILE}" }}'}
    state = load_file(session.store.fetch(key) / "state.safetensors")
    assert all(torch.equal(state[MODEL + name], kept) for name, kept in weights().items())
    losses = table.filter(table["sparsity"] == 0.0)["loss"].unique()
    assert len(losses) == 2, "the data order is that of the seed"
    report = completed.results.arms
    assert all("weights" not in label for label in report), "what all arms have is not in their labels"


def test_the_content_is_in_the_keys_and_the_file_is_not(tmp_path: Path) -> None:
    begin(tmp_path)
    keys = opened(tmp_path).plan.steps.keys()
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / FILE, tmp_path / "elsewhere" / "other.name")
    moved = LOADING.replace(FILE, "elsewhere/other.name")
    assert opened(tmp_path, moved).plan.steps.keys() == keys
    save_file(dict(reversed(weights().items())), tmp_path / FILE, metadata={"by": "me"})
    assert opened(tmp_path).plan.steps.keys() == keys
    begin(tmp_path, **{"head.bias": torch.ones(10)})
    assert opened(tmp_path).plan.steps.keys().isdisjoint(keys)


def test_weights_that_change_after_the_study_was_read_are_not_used(tmp_path: Path) -> None:
    begin(tmp_path)
    session = opened(tmp_path)
    begin(tmp_path, **{"head.bias": torch.ones(10)})
    with pytest.raises(StudyError) as caught:
        complete(session, HERE)
    (problem,) = caught.value.problems
    assert "have changed since the study was read" in problem.message and problem.key == "model.init.weights"


def test_a_file_that_changes_during_a_run_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path)
    session = opened(tmp_path)

    def checked(*given: object) -> Checked:
        begin(tmp_path, **{"head.bias": -torch.ones(10)})
        return Checked(here=None)

    monkeypatch.setattr("prunectl.api.make.checked", checked)
    with pytest.raises(PrunectlError, match="have changed since the study was read"):
        complete(session, HERE)
    assert not list((tmp_path / "store").glob("failures/*/*")), "it is no outcome of the study"


def test_arms_with_several_beginnings_are_picked_and_read_back_by_value(tmp_path: Path) -> None:
    begin(tmp_path)
    save_file(weights(6), tmp_path / "b.safetensors")
    several = SMALL + f'init = ["xavier-normal", {{ weights = "{FILE}" }}, {{ weights = "b.safetensors" }}]\n'
    session = opened(tmp_path, several)
    assert len({trial.baseline for trial in session.plan.trials}) == 3
    labels = {trial.arm.label for trial in session.plan.trials}
    assert "magnitude · at init · weights b.safetensors" in labels
    one = opened(tmp_path, several, only='init={ weights = "b.safetensors" }')
    assert {trial.arm.cell("init") for trial in one.plan.trials} == {'{ weights = "b.safetensors" }'}
    claim = """
[[claim]]
text = "better"
better = { criterion = "magnitude", init = { weights = "b.safetensors" } }
than = { criterion = "magnitude", init = "xavier-normal" }
"""
    assert opened(tmp_path, several + claim).study.claim


def test_a_missing_file_is_reported_with_the_line_of_the_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        opened(tmp_path)
    (problem,) = caught.value.problems
    line = LOADING.splitlines().index(f'init = {{ weights = "{FILE}" }}') + 1
    assert problem.where == f"{tmp_path}/small.toml:{line}:10"
    assert problem.message == f"{tmp_path}/{FILE} does not exist"


def problems(folder: Path) -> list[str]:
    with pytest.raises(StudyError) as caught:
        check(opened(folder), HERE)
    return [f"{problem.key}: {problem.message}" for problem in caught.value.problems]


def test_tensors_that_do_not_fit_are_named_with_the_nearest(tmp_path: Path) -> None:
    tensors = weights()
    tensors["conv1.wieght"] = tensors.pop("conv1.weight")
    tensors["head.weight"] = torch.zeros(10, 3)
    tensors["head.bias"] = torch.full((10,), torch.nan)
    tensors["bn1.weight"] = torch.ones(16, dtype=torch.int64)
    save_file(tensors, tmp_path / FILE)
    width = tuple(weights()["head.weight"].shape)[1]
    start = f"model.init.weights: {FILE} does not fit the network: "
    assert problems(tmp_path) == [
        f"{start}it has no conv1.weight (but conv1.wieght)",
        f"{start}it has conv1.wieght (but conv1.weight), which the network has not",
        f"{start}head.weight has the shape 10x3, not 10x{width}",
        f"{start}bn1.weight is of type torch.int64, not torch.float32",
        f"{start}head.bias holds numbers that are not finite",
    ]


def test_counters_may_be_missing_and_other_types_are_converted(tmp_path: Path) -> None:
    tensors = {name: kept.half() for name, kept in weights().items() if kept.is_floating_point()}
    save_file(tensors, tmp_path / FILE)
    session = opened(tmp_path)
    check(session, HERE)
    complete(session, HERE)
    state = load_file(session.store.fetch(inits(session)[0]) / "state.safetensors")
    assert torch.equal(state[f"{MODEL}conv1.weight"], tensors["conv1.weight"].float())
    assert state[f"{MODEL}bn1.num_batches_tracked"] == 0


def test_a_network_that_sets_its_weights_is_refused_unless_they_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, given = TinyCnn._network, weights()
    begin(tmp_path)

    def presetting(self: TinyCnn, shape: tuple[int, int, int], classes: int) -> torch.nn.Module:
        made = network(self, shape, classes)
        made.load_state_dict(given)
        return made

    monkeypatch.setattr(TinyCnn, "_network", presetting)
    check(opened(tmp_path), HERE)
    with pytest.raises(StudyError) as caught:
        check(opened(tmp_path, SMALL), HERE)
    (problem,) = caught.value.problems
    assert problem.message == (
        "tiny-cnn sets weights itself, the same in every build (conv1.weight, bn1.weight, conv2.weight and 2 more): "
        'init = "kaiming-normal" would draw over them'
    )
    assert 'init = { weights = "FILE.safetensors" }' in str(problem.hint)


STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits"},
    "model": {"name": "tiny-cnn", "init": {"weights": FILE}},
    "train": {"epochs": 1},
    "sweep": {"sparsities": [0.5]},
    "prune": [{"criterion": "magnitude"}],
}


def slips(**changed: Any) -> list[str]:
    _, problems = validate(STUDY | changed)
    return [f"{problem.key}: {problem.message}" for problem in problems]


def test_loaded_weights_cannot_be_drawn_again() -> None:
    again = {"criterion": "magnitude", "ablation": ["none", "reinit"]}
    assert slips(prune=[again]) == [
        f"prune[0].ablation[1]: reinit draws weights again as they were drawn, and those of {FILE} were not"
    ]
    assert slips(prune=[again | {"init": "xavier-normal"}]) == []


def test_how_batch_norm_is_drawn_is_refused_where_nothing_is_drawn() -> None:
    model = STUDY["model"] | {"bn_init": "uniform"}
    assert slips(model=model) == [
        "model.bn_init: has no effect: the scales of BatchNorm are loaded with the other weights"
    ]
    assert slips(model=model, prune=[{"criterion": "magnitude", "init": ["xavier-normal", {"weights": "x"}]}]) == []


def test_wrong_ways_to_write_it_are_refused_with_the_right_one() -> None:
    (bare,) = slips(model={"name": "tiny-cnn", "init": FILE})
    assert bare.startswith("model.init: must be one of ") and 'or a table { weights = "FILE.safetensors" }' in bare
    misspelt = slips(model={"name": "tiny-cnn", "init": {"wieghts": FILE}})
    assert "model.init.wieghts: unknown key; allowed here: weights" in misspelt
    assert slips(model={"name": "tiny-cnn", "init": {"weights": ""}})


def test_the_schema_has_it_wherever_weights_begin() -> None:
    definitions = json_schema()["$defs"]
    assert "#/$defs/LoadedWeights" in str(definitions["ModelSection"])
    assert "#/$defs/LoadedWeights" in str(definitions["PruneSection"]["properties"]["init"])
    assert "safetensors" in str(definitions["Selector"]["properties"]["init"])
