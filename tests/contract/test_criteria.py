"""What every criterion and every scope of the catalogue promises, third parties' included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from networks import SHAPE, batch, normalized_network, small_network
from prunectl.base.keys import canonical
from prunectl.catalog.criterion import Criterion, DataCriterion
from prunectl.catalog.lookup import entry_type, names, read_entry
from prunectl.catalog.masks import Masks
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.pruning import mask as masking
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score

PACKAGE = Path(__file__).parents[1] / "thirdparty_criterion"


def made(name: str) -> Criterion:
    criterion = entry_type("criteria", name)()
    assert isinstance(criterion, Criterion)
    return criterion


def network_for(criterion: Criterion) -> nn.Sequential:
    """The small network; for criteria of whole channels, with a scale for each of them."""
    return small_network() if criterion.structures is None else normalized_network()


def scores_of(
    criterion: Criterion, network: nn.Module, *, seed: int = 0, masks: Masks | None = None
) -> dict[str, Tensor]:
    batches = [batch(1), batch(2)] if criterion.needs_data else []
    return score(
        Scoring(criterion=criterion, batches=batches, shape=SHAPE, generator=torch.Generator().manual_seed(seed)),
        network,
        masks,
    )


def half(seed: int = 5) -> Masks:
    """Masks that keep about half of the small network, and at least something of each layer."""
    draws = torch.Generator().manual_seed(seed)
    return {name: torch.rand(weight.shape, generator=draws) < 0.5 for name, weight in prunable(small_network()).items()}


every = pytest.mark.parametrize("name", names("criteria"))


@every
def test_it_says_what_it_is_and_what_it_needs(name: str) -> None:
    kind = type(made(name))
    assert kind.name == name
    assert kind.summary
    assert "\n" not in kind.summary
    assert kind.paper
    assert kind.removes
    assert kind.__doc__
    assert "score =" in kind.__doc__ or "score" in kind.__doc__.lower()
    assert made(name).batch_norm_mode() in ("train", "eval")
    assert kind.precision in ("float32", "float64")
    assert kind.needs_data == (made(name).sampling(3) is not None)
    assert kind.needs_data or not issubclass(kind, DataCriterion)
    assert kind.structures is None or set(kind.structures) <= set(names("structures"))
    assert kind.scopes is None or kind.usual_scope in kind.scopes
    assert made(name).own_scope().name == kind.usual_scope
    for structure in kind.structures or ():
        assert read_entry("structures", structure, Structure).refusal(made(name).own_scope()) is None
    assert not (kind.repeatable and (kind.regrows or kind.fresh_batches or made(name).updates_weights()))
    assert kind.version >= 1
    assert kind.needs_data or not kind.needs_labels
    assert not kind().own_rounds().retrains
    assert canonical(kind().preimage())


@every
def test_scores_are_finite_of_the_right_shape_and_precision(name: str) -> None:
    criterion = made(name)
    network = network_for(criterion)
    scores = scores_of(criterion, network)
    for weight_name, weight in prunable(network).items():
        found = scores[weight_name]
        assert found.shape == weight.shape
        assert found.dtype == getattr(torch, criterion.precision)
        assert bool(found.isfinite().all())
        assert not found.requires_grad
    assert list(scores) == list(prunable(network))
    channels = 36 + 36 + 4  # those of the residual sum are one; each of them has a score, not each weight
    different = 100 if criterion.structures is None else channels - 1
    assert len(torch.cat([each.flatten() for each in scores.values()]).unique()) > different  # type: ignore[no-untyped-call]


@every
def test_it_leaves_no_trace(name: str) -> None:
    """Trap 9: parameters, statistics, gradients, modes, hooks and the random state are as before."""
    network = network_for(made(name)).train()
    network[1].eval()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    batches = [batch(1), batch(2)]
    copies = [(images.clone(), labels.clone()) for images, labels in batches]
    modes = [module.training for module in network.modules()]
    state = torch.get_rng_state()
    score(
        Scoring(
            criterion=made(name),
            batches=batches if made(name).needs_data else [],
            shape=SHAPE,
            generator=torch.Generator().manual_seed(0),
        ),
        network,
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad and p.dtype == torch.float32 for p in network.parameters())
    assert [module.training for module in network.modules()] == modes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    for (images, labels), (same_images, same_labels) in zip(batches, copies, strict=True):
        assert torch.equal(images, same_images)
        assert torch.equal(labels, same_labels)


@every
def test_the_same_generator_gives_the_same_scores(name: str) -> None:
    """Also when the global random state, the mode of the network or gradients are others."""
    first = scores_of(made(name), network_for(made(name)).eval())
    torch.manual_seed(123)
    network = network_for(made(name)).train()
    torch.manual_seed(321)
    with torch.no_grad():
        again = scores_of(made(name), network)
    assert all(torch.equal(first[key], again[key]) for key in first)


@every
def test_it_works_under_a_mask(name: str) -> None:
    """What is gone has no part in the scores: its weights may be anything."""
    network, masks = network_for(made(name)), half()
    scores = scores_of(made(name), network, masks=masks)
    with torch.no_grad():
        for weight_name, weight in prunable(network).items():
            weight[~masks[weight_name]] = 17.0
    for weight_name, found in scores_of(made(name), network, masks=masks).items():
        assert torch.equal(found, scores[weight_name])
    pruned = masking.prune(scores, Global(), 0.8, generator=torch.Generator().manual_seed(0), before=masks)
    n = sum(mask.numel() for mask in masks.values())
    assert sum(int((~mask).sum()) for mask in pruned.masks.values()) == round(0.8 * n)
    assert all(bool((mask <= masks[key]).all()) for key, mask in pruned.masks.items())


@every
def test_rounds_on_one_copy_are_rounds_on_fresh_copies(name: str) -> None:
    """The promise of `repeatable`: what one round leaves on its copy does not change the next."""
    criterion = made(name)
    fresh = type("Fresh", (type(criterion),), {"repeatable": False})()
    rounds = Exponential(count=4)
    found = [
        prune_in_rounds(
            Scoring(
                criterion=each,
                batches=[batch()] if criterion.needs_data else [],
                shape=SHAPE,
                generator=torch.Generator().manual_seed(0),
            ),
            network_for(criterion),
            Cut(units=SingleWeights(), scope=Global()),
            0.7,
            rounds,
        ).masks
        for each in (criterion, fresh)
    ]
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


@every
def test_layers_left_out_have_no_score(name: str) -> None:
    batches = [batch()] if made(name).needs_data else []
    scores = score(
        Scoring(criterion=made(name), exclude=["10", "0"], batches=batches, shape=SHAPE, generator=torch.Generator()),
        network_for(made(name)),
    )
    assert list(scores) == ["3.conv.weight", "6.weight", "8.weight"]


@pytest.mark.parametrize("name", names("scopes"))
def test_scopes_say_what_they_are(name: str) -> None:
    scope = entry_type("scopes", name)()
    assert isinstance(scope, Scope)
    assert type(scope).name == name
    assert scope.summary
    assert scope.paper
    assert canonical(scope.preimage())


def test_the_catalogue_is_read_without_torch() -> None:
    """Listing what prunes, with all that it declares, loads neither torch nor numpy."""
    code = (
        "import sys\n"
        "from prunectl.catalog.lookup import entry_type, names\n"
        "for catalog in ('criteria', 'scopes', 'structures', 'rounds', 'ablations'):\n"
        "    for name in names(catalog):\n"
        "        entry_type(catalog, name).model_construct().changed\n"
        "entry_type('criteria', 'synflow')().own_rounds()\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_thesis_13_are_there() -> None:
    """James (2022): six baselines (three criteria, global and layerwise), random, and six methods."""
    wanted = {"magnitude", "gradient", "activation", "random", "snip", "grasp", "synflow", "lamp", "lap", "obd"}
    assert wanted | {"snip-iterative", "grasp-magnitude", "fisher"} <= set(names("criteria"))
    assert {"global", "layerwise", "uniform", "uniform+", "erk", "lamp"} <= set(names("scopes"))


def test_a_third_partys_criterion_is_found_through_its_entry_point(tmp_path: Path) -> None:
    """The example package in tests/, installed as pip lays it out: it is listed, scored, and tested like ours."""
    site = installed(tmp_path)
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from prunectl.catalog.lookup import entry_type, names\n"
        "from prunectl.study.jsonschema import json_schema\n"
        "import json\n"
        "assert names('criteria')[-1] == 'mean-magnitude', names('criteria')\n"
        "kind = entry_type('criteria', 'mean-magnitude')\n"
        "assert kind.summary and 'torch' not in sys.modules\n"
        "assert 'mean-magnitude' in json.dumps(json_schema())\n"
        "import torch\n"
        "from networks import SHAPE, small_network\n"
        "from prunectl.pruning.scoring import Scoring, score\n"
        "how = Scoring(criterion=kind(power=2.0), shape=SHAPE, generator=torch.Generator())\n"
        "scores = score(how, small_network())\n"
        "weight = small_network().get_parameter('10.weight').detach().abs()\n"
        "assert torch.allclose(scores['10.weight'], weight / weight.mean() ** 2)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def installed(folder: Path) -> Path:
    """The example package with the metadata that `pip install --target` writes from its pyproject."""
    import tomllib

    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    site = folder / "site"
    information = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = project["entry-points"].items()
    (information / "entry_points.txt").write_text(
        "".join(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups)
    )
    for source in (PACKAGE / "src").rglob("*.py"):
        place = site / source.relative_to(PACKAGE / "src")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source.read_text())
    return site
