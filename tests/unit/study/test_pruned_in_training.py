"""What does not go with rounds that prune during training is refused by name, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prunectl.base.cells import parsed
from prunectl.catalog.lookup import read_entry
from prunectl.catalog.rounds import Rounds
from prunectl.study.arms import expand
from prunectl.study.reading import choices
from prunectl.study.schema import PruneSection

if TYPE_CHECKING:
    from unit.study.conftest import LoadText, Problems

pytestmark = pytest.mark.usefixtures("real_catalogs")

BASE = """\
name = "x"
[data]
name = "digits"
[model]
name = "tiny-cnn"
[train]
epochs = 10
[sweep]
sparsities = [0.0, 0.5]
[[prune]]
criterion = "magnitude"
"""
GRADUAL = 'rounds = { name = "gradual", to = { epoch = 5 } }\n'
SET, RIGL = 'rounds = "set"\n', 'rounds = "rigl"\n'


@pytest.mark.parametrize(
    ("prune", "key", "message"),
    [
        (GRADUAL + 'at = "init"', "at", 'rounds "gradual" prune during the training'),
        (SET + "at = { epoch = 3 }", "at", "at moments of their own"),
        (GRADUAL + 'retrain = "finetune"', "retrain", "nothing is retrained after it"),
        (RIGL + 'retrain = "recalibrate"', "retrain", "nothing is retrained after it"),
        (GRADUAL + 'ablation = "shuffle"', "ablation", "another mask would need another training"),
        (GRADUAL + 'ablation = "reinit"', "ablation", "other weights would need another training"),
        (SET + 'ablation = "invert"', "ablation", "no ranking decides which masks result"),
        (RIGL + 'ablation = "shuffle-global"', "ablation", "weights and masks are trained together"),
        (RIGL + 'structure = "channels"', "structure", '"channels" does not allow'),
        (SET + 'structure = { name = "n-of-m", n = 1, m = 2 }', "structure", '"n-of-m" does not allow'),
        (GRADUAL + 'structure = { name = "n-of-m", n = 1, m = 2 }', "structure", "sparsities that n-of-m(n=1, m=2)"),
        (GRADUAL + "budget = 0.5", "budget", "no arm here is retrained"),
        ('rounds = { name = "gradual", to = { epoch = 11 } }', "rounds.to.epoch", "beyond the end of the training"),
        (
            'rounds = { name = "gradual", from = { epoch = 5 }, to = { epoch = 5 } }',
            "rounds.to",
            "epoch 5 is not after `from`, epoch 5",
        ),
        ('rounds = { name = "gradual", to = { step = 0 } }', "rounds.to", "step 0 is not after `from`"),
        ('rounds = { name = "gradual", to = "end", initial = 0.6 }', "rounds.initial", "0.6 is above the sparsity 0.5"),
        ('rounds = { name = "gradual", to = "end", form = "init" }', "rounds.form", "allowed here: from, to, every"),
        ('rounds = "gradual"', "rounds.to", "missing"),
    ],
)
def test_what_no_study_can_mean_is_refused(problems: Problems, prune: str, key: str, message: str) -> None:
    found = [(str(problem.path[2]), problem.message) for problem in problems(BASE + prune)]
    assert any(place == key.split(".")[0] and message in text for place, text in found), found


@pytest.mark.parametrize("rounds", [SET, RIGL])
def test_other_criteria_are_refused_where_weights_grow_back(problems: Problems, rounds: str) -> None:
    (problem,) = problems(BASE.replace('"magnitude"', '"snip"') + rounds)
    assert "a rule of their own for what goes" in problem.message and problem.hint == "they go with magnitude"


@pytest.mark.parametrize(
    "prune",
    [
        GRADUAL + 'ablation = ["none", "invert"]',
        GRADUAL + 'structure = "channels"',
        'rounds = ["one-shot", { name = "gradual", to = "end", initial = 0.5, power = 1 }, "set"]',
        'rounds = { name = "set", zeta = 0.1, drop = "magnitude" }\nscope = "global"',
        'rounds = { name = "rigl", alpha = 0.5, every = { epochs = 1 }, until = 1 }',
    ],
)
def test_what_is_defined_is_not_refused(load_text: LoadText, prune: str) -> None:
    load_text(BASE + prune)


@pytest.mark.parametrize(
    "written",
    [
        {"name": "gradual", "from": {"epoch": 2}, "to": {"epoch": 12}, "every": {"steps": 10}},
        {"name": "gradual", "to": "end", "initial": 0.25, "power": 1.0},
        {"name": "rigl", "every": {"epochs": 1}},
        "set",
    ],
)
def test_a_cell_is_read_back_with_keys_that_python_reserves(written: str | dict[str, object]) -> None:
    way = read_entry("rounds", written, Rounds)
    assert way.written() == written
    (arm,) = expand([PruneSection.model_validate({"criterion": "magnitude", "rounds": written})], "orthogonal")
    assert parsed(arm.cell("rounds") or "") == written
    assert choices({"rounds": arm.cell("rounds")})["rounds"] == way
    assert arm.matches({"rounds": written}) and not arm.matches({"rounds": {"name": way.name, "from": {"epoch": 3}}})
