"""Networks that are not prunectl's: of torchvision, of timm and of a file, with their own or pretrained weights."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from prunectl.api.check import check
from prunectl.api.export import exported, load_network
from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model
from prunectl.models.weights_file import WeightsError
from prunectl.plan.steps import Init
from prunectl.pruning.prunable import prunable
from prunectl.training.state import MODEL
from small import HERE, SMALL

VIT = "timm:vit_tiny_patch16_224"
TINY = "options = { depth = 2, embed_dim = 16, num_heads = 2, patch_size = 4 }"
NET = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, shape, classes, width: int = 8):
        super().__init__()
        self.stem = nn.Conv2d(shape[0], width, 2, 2)
        layer = nn.TransformerEncoderLayer(width, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        return self.head(self.encoder(self.stem(images).flatten(2).transpose(1, 2)).mean(1))


def wide(shape, classes, width=16):
    return Net(shape, classes, width)


def wrong(width):
    return None
"""


def text(model: str, more: str = "") -> str:
    return SMALL.replace('name = "tiny-cnn"', f'name = "{model}"\n{more}').replace('"random"', '"snip", "synflow"')


def opened(folder: Path, model: str, more: str = "", **options: Any) -> Session:
    (folder / "net.py").write_text(NET)
    (folder / "small.toml").write_text(text(model, more))
    return open_study(folder / "small.toml", store=folder / "store", **options)


def begun(session: Session) -> dict[str, torch.Tensor]:
    """The weights that the trainings begin with."""
    (key,) = [key for key, step in session.plan.steps.items() if isinstance(step, Init)]
    state = load_file(session.store.fetch(key) / "state.safetensors")
    return {name.removeprefix(MODEL): tensor for name, tensor in state.items()}


def built(model: str, classes: int = 10, **options: Any) -> torch.nn.Module:
    kind = entry_type("models", model, Model)
    return kind.model_validate({"options": options}).build((1, 8, 8), classes)


def test_a_class_with_attention_is_pruned_trained_and_counted(tmp_path: Path) -> None:
    session = opened(tmp_path, "file:net.py:Net", "width = 8")
    assert session.study.model.init == "own"
    table = complete(session, HERE).results.trials.sort("sparsity")
    assert set(table["status"]) == {"done"} and len(table) == 6
    (cell,) = set(table["model"])
    assert cell == "file:net.py:Net"
    prunable = 8 * 4 + 24 * 8 + 8 * 8 + 16 * 8 + 8 * 16 + 10 * 8
    pruned = table.filter(table["sparsity"] == 0.5)
    assert set(pruned["n_params"] - pruned["n_nonzero"]) == {round(prunable / 2)}, "in_proj and out_proj among them"
    assert max(pruned["flops"]) < min(table["flops_dense"])


def test_each_seed_draws_its_own_weights_and_norms_and_biases_stay_those_of_the_code(tmp_path: Path) -> None:
    states = {}
    for seed in (1, 2):
        session = opened(
            tmp_path, "file:net.py:wide", set={"sweep.seeds": [seed]}, only="criterion=magnitude,sparsity=0"
        )
        complete(session, HERE)
        states[seed] = begun(session)
    first, second = states[1], states[2]
    attention = "encoder.layers.0.self_attn.in_proj_weight"
    assert not torch.equal(first[attention], second[attention])
    assert torch.equal(first["encoder.layers.0.norm1.weight"], torch.ones(16))


@pytest.mark.parametrize(
    ("model", "more", "expected"),
    [
        ("file:net.py:wrong", "", "it takes width, and a network is a class or function that takes shape and classes"),
        ("file:net.py:Net", "widht = 4", 'did you mean "width"?'),
        ("file:net.py:Net", 'width = "wide"', "model.width: must be a whole number"),
        ("file:net.py:Net", 'init = "pretrained"', "file:net.py:Net has no pretrained weights"),
        ("file:net.py:Net", 'bn_init = "uniform"', "drawn by the network's own code"),
        ("tiny-cnn", 'init = "pretrained"', "tiny-cnn has no pretrained weights"),
        ("torchvison:resnet18", "", "there is no model"),
    ],
)
def test_mistakes_are_reported_when_the_study_is_read(tmp_path: Path, model: str, more: str, expected: str) -> None:
    with pytest.raises(StudyError) as caught:
        opened(tmp_path, model, more)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "torchvision:resnt18",
            "torchvision has no classification network 'resnt18'; did you mean torchvision:resnet18?",
        ),
        ("timm:resnt18", "timm has no network 'resnt18'; did you mean timm:resnet18?"),
    ],
)
def test_names_that_a_library_does_not_have_are_reported_before_the_first_training(
    tmp_path: Path, model: str, expected: str
) -> None:
    with pytest.raises(StudyError) as caught:
        check(opened(tmp_path, model), HERE)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (VIT, {"depth": 1, "embed_dim": 16, "num_heads": 2, "patch_size": 4}),
        ("timm:vit_tiny_patch16_224.augreg_in21k", {"depth": 1, "embed_dim": 16, "num_heads": 2, "patch_size": 4}),
        ("torchvision:mobilenet_v2", {"width_mult": 0.1}),
    ],
)
def test_networks_of_libraries_take_any_images_and_classes_and_can_be_sent(model: str, options: dict[str, Any]) -> None:
    assert built(model, 7, **options).eval()(torch.zeros(2, 1, 8, 8)).shape == (2, 7)
    entry = entry_type("models", model, Model).model_validate({"options": options})
    again = pickle.loads(pickle.dumps(entry))
    assert (again, again.preimage()["name"]) == (entry, model)


def test_fused_attention_sees_masks() -> None:
    """What evaluation runs without gradients is one fused operation, which reads the same weights."""
    torch.manual_seed(1)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with torch.no_grad():
        for weight in prunable(layer).values():
            weight.mul_(torch.rand(weight.shape) > 0.5)
        images = torch.randn(2, 5, 8)
        fused = layer(images)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            assert torch.allclose(layer(images), fused, atol=1e-5)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)


def test_a_transformer_of_timm_is_pruned_and_trained(tmp_path: Path) -> None:
    table = complete(opened(tmp_path, VIT, TINY), HERE).results.trials
    assert set(table["status"]) == {"done"} and len(table) == 6


WORDS = """\
from torch import nn


class Words(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.words, self.fc, self.head = nn.Embedding(classes, 8), nn.Linear(8, 8), nn.Linear(8, classes)
        self.head.weight = self.words.weight

    def forward(self, images):
        words = (images.flatten(1).sigmoid() * 9).long()
        return self.head(self.fc(self.words(words)).relu().mean(1))
"""


def test_a_head_that_shares_its_weight_with_an_embedding_is_excluded_counted_once_and_exported(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(WORDS)

    def words(more: str) -> Session:
        (tmp_path / "small.toml").write_text(text("file:words.py:Words").replace('"synflow"', '"fisher"') + more)
        return open_study(tmp_path / "small.toml", store=tmp_path / "store")

    with pytest.raises(StudyError, match=r"head is also a parameter of words \(Embedding\).*exclude = \[\"head\"\]"):
        check(words(""), HERE)
    session = words('[prunable]\nexclude = ["head"]\n')
    table = complete(session, HERE).results.trials
    assert set(table["status"]) == {"done"}, table["reason"].to_list()
    assert set(table["n_params"]) == {10 * 8 + 10 + 8 * 8 + 8}
    pruned = table.filter(table["sparsity"] == 0.5)
    assert set(pruned["n_params"] - pruned["n_nonzero"]) == {32}
    document = exported(
        session, next(trial for trial in session.plan.trials if trial.mask), tmp_path / "out", compact=False
    )
    assert document["parameters"] == 162
    network = load_network(tmp_path / "out")
    assert network.get_parameter("head.weight") is network.get_parameter("words.weight")


# --- pretrained weights, from caches that the test fills ---


class Harmful:
    """What a file could hold that runs code when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of torch's hub, empty; that of the Hugging Face hub is empty too."""
    monkeypatch.setattr("torch.hub._hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_pretrained_weights_that_are_not_there_are_refused_with_the_way_to_get_them(
    tmp_path: Path, cache: Path
) -> None:
    with pytest.raises(StudyError) as caught:
        opened(tmp_path, "torchvision:squeezenet1_1", 'init = "pretrained"')
    (problem,) = caught.value.problems
    assert problem.key == "model.init"
    assert f"there is no {cache}/squeezenet1_1-b8a52dc0.pth" in problem.message
    assert "weights='DEFAULT'" in str(problem.hint) and "TORCH_HOME" in str(problem.hint)
    with pytest.raises(StudyError, match="timm/vit_tiny_patch16_224"):
        opened(tmp_path, VIT, f'init = "pretrained"\n{TINY}')


def test_torchvision_loads_its_file_and_the_head_for_other_classes_is_drawn_again(tmp_path: Path, cache: Path) -> None:
    torch.manual_seed(3)
    kind = entry_type("models", "torchvision:shufflenet_v2_x0_5", Model)
    theirs = kind().build((3, 32, 32), 1000).state_dict()
    torch.save(theirs, cache / "shufflenetv2_x0.5-f707e7126e.pth")
    model = kind()
    network = model.load_pretrained((3, 32, 32), 10, model.pretrained_file())
    own = network.state_dict()
    assert all(torch.equal(own[name], kept) for name, kept in theirs.items() if not name.startswith("fc."))
    assert own["fc.weight"].shape == (10, 1024)


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, *_: Any, **__: Any) -> None:
        raise AssertionError(f"{url} would be downloaded")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)


@pytest.mark.usefixtures("no_download")
def test_a_worker_with_another_cache_reads_the_file_that_was_planned_and_downloads_nothing(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = entry_type("models", "torchvision:shufflenet_v2_x0_5", Model)
    theirs = kind().build((3, 32, 32), 1000).state_dict()
    file = cache / "shufflenetv2_x0.5-f707e7126e.pth"
    torch.save(theirs, file)
    assert kind().pretrained_file() == file
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "other"))
    network = kind().load_pretrained((3, 32, 32), 10, file)
    assert torch.equal(network.state_dict()["conv1.0.weight"], theirs["conv1.0.weight"])
    file.unlink()
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        kind().load_pretrained((3, 32, 32), 10, file)


def hub_file(folder: Path, name: str) -> Path:
    """Where the Hugging Face hub keeps a file of timm's tiny ViT."""
    hub = folder / "hub" / "models--timm--vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    (hub / "snapshots" / "1").mkdir(parents=True)
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("1")
    return hub / "snapshots" / "1" / name


@pytest.mark.usefixtures("cache", "no_download")
def test_a_pickled_file_of_timm_is_read_without_running_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"depth": 1, "embed_dim": 16, "num_heads": 2, "patch_size": 4}
    model = entry_type("models", VIT, Model).model_validate({"options": options})
    theirs = built(VIT, 1000, **options).state_dict()
    file = hub_file(tmp_path, "pytorch_model.bin")
    torch.save(theirs, file)
    assert model.pretrained_file() == file
    network = model.load_pretrained((1, 8, 8), 10, file)
    assert torch.equal(network.state_dict()["blocks.0.attn.qkv.weight"], theirs["blocks.0.attn.qkv.weight"])
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": theirs, "x": Harmful()}, file)
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin cannot be read without running code"):
        model.load_pretrained((1, 8, 8), 10, file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("model", "option", "expected"),
    [
        (VIT, "pretrained = true", 'pretrained is not an option here: write init = "pretrained", which downloads'),
        (VIT, 'checkpoint_path = "w.bin"', 'checkpoint_path is not an option here: write init = { weights = "FILE" }'),
        ("torchvision:resnet18", 'weights = "DEFAULT"', 'weights is not an option here: write init = "pretrained"'),
    ],
)
def test_options_that_would_download_or_load_are_refused_with_what_to_write(
    tmp_path: Path, model: str, option: str, expected: str
) -> None:
    with pytest.raises(StudyError) as caught:
        opened(tmp_path, model, f"options = {{ {option} }}")
    assert expected in str(caught.value) and "model.options" in str(caught.value)


def test_a_study_begins_with_what_timm_loads_from_its_cache(tmp_path: Path, cache: Path) -> None:
    options = {"depth": 2, "embed_dim": 16, "num_heads": 2, "patch_size": 4}
    torch.manual_seed(4)
    theirs = built(VIT, 1000, **options).state_dict()
    file = hub_file(tmp_path, "model.safetensors")
    save_file(theirs, file)
    session = opened(tmp_path, VIT, f'init = "pretrained"\n{TINY}')
    assert set(complete(session, HERE).results.trials["status"]) == {"done"}
    state = begun(session)
    assert all(torch.equal(state[name], kept) for name, kept in theirs.items() if not name.startswith("head."))
    keys = session.plan.steps.keys()
    save_file({**theirs, "head.bias": torch.ones(1000)}, file)
    again = opened(tmp_path, VIT, f'init = "pretrained"\n{TINY}')
    assert again.plan.steps.keys().isdisjoint(keys), "the content of the file is part of the keys"


def test_a_file_of_torch_with_another_head_is_loaded_and_reported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(NET)
    session = opened(tmp_path, "file:net.py:Net")
    theirs = session.study.model.model.build((1, 8, 8), 23).state_dict()
    torch.save({"state_dict": theirs}, tmp_path / "w.pt")
    session = opened(tmp_path, "file:net.py:Net", 'init = { weights = "w.pt" }')
    assert set(complete(session, HERE).results.trials["status"]) == {"done"}
    assert (
        "w.pt has a head for 23 classes (head), and the data have 10: the head is drawn again" in capfd.readouterr().err
    )
    state = begun(session)
    assert torch.equal(state["stem.weight"], theirs["stem.weight"]) and state["head.weight"].shape == (10, 8)


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"x": Harmful()}}, tmp_path / "w.pt")
    with pytest.raises(PrunectlError, match="cannot be read without running code"):
        check(opened(tmp_path, "file:net.py:Net", 'init = { weights = "w.pt" }'), HERE)
    assert not (tmp_path / "ran").exists()
