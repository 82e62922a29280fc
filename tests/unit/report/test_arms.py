"""What charts and tables ask about arms."""

from __future__ import annotations

import polars as pl
import pytest

import made_up
from prunectl.report import arms
from prunectl.results.table import SCHEMA, Results
from unit.report import small

START = made_up.STUDY.partition("[[prune]]")[0] + '[[prune]]\ncriterion = "magnitude"\n'


def study(prune: str) -> Results:
    """Results of magnitude pruning with a training of 80 epochs."""
    return made_up.results(START + prune, seeds=1, failed=0, epochs=1)


def test_every_column_of_an_arm_is_a_column_of_the_table() -> None:
    assert set(arms.COLUMNS) < set(SCHEMA)
    assert "arm" not in arms.COLUMNS
    assert set(arms.MATCHED) < set(arms.COLUMNS)


def test_unmodified_arms_have_no_ablation() -> None:
    trials = small.trials({"ablation": "none"}, {"ablation": "shuffle"}, {"ablation": "invert"})
    assert trials.filter(arms.unmodified())["ablation"].to_list() == ["none"]


@pytest.mark.parametrize(
    ("variant", "name"),
    [("", "snip"), ("at init", "snip"), ("at end", "snip, at end"), ("erk · at end", "snip, erk · at end")],
)
def test_a_line_is_named_by_hue_and_variant_without_the_default(variant: str, name: str) -> None:
    frame = pl.DataFrame({"hue": ["snip"], "variant": [variant]})
    assert frame.select(arms.series()).item() == name


def test_steps_and_epochs_are_put_in_one_order() -> None:
    """An epoch has 391 steps."""
    every = study('at = ["end", { epoch = 20 }, { epoch = 1 }, { step = 50 }, { step = 600 }, { epoch = 9 }, "init"]')
    assert arms.moments(every) == ["init", "step 50", "epoch 1", "step 600", "epoch 9", "epoch 20", "end"]


def test_moments_that_go_on_with_another_schedule_are_others() -> None:
    every = study('at = [{ epoch = 1 }, { epoch = 1, schedule = "restart" }, "init"]')
    assert arms.moments(every) == ["init", "epoch 1", "epoch 1, schedule restart"]


def test_only_iterative_rounds_retrain_between_rounds() -> None:
    rounds = 'at = "end"\nretrain = "lr-rewind"\nrounds = %s'
    assert not arms.retrained_between_rounds(study(rounds % '["one-shot", { name = "exponential", count = 3 }]'))
    assert arms.retrained_between_rounds(study(rounds % '["one-shot", { name = "iterative", rate = 0.2 }]'))


def lengths(results: Results) -> dict[str, tuple[str, float]]:
    """The retraining without its length, and its share of the recipe, by label without criterion and moment."""
    shares, names = arms.shares(results), arms.lengthless(results)
    assert shares.keys() == names.keys()
    return {label.removeprefix("magnitude · at end · "): (names[label], shares[label]) for label in shares}


def test_budgets_are_shares_of_the_recipe() -> None:
    three = 'at = "end"\nretrain = ["none", "finetune", "weight-rewind", "lr-rewind"]\nbudget = [0.1, 0.5, 1.0]'
    kinds = ("finetune", "weight-rewind", "lr-rewind")
    assert lengths(study(three)) == {
        **{f"{kind}, budget {share}": (kind, share) for kind in kinds for share in (0.1, 0.5)},
        **{kind: (kind, 1.0) for kind in kinds},
    }


def test_rewinding_to_a_moment_retrains_the_rest() -> None:
    moments = ('"init"', "{ epoch = 20 }", "{ step = 3910 }")
    rewinds = ", ".join(f'{{ name = "weight-rewind", to = {moment} }}' for moment in moments)
    rewound = study(f'at = "end"\nretrain = [{rewinds}]')
    assert {label: share for label, (_, share) in lengths(rewound).items()} == {
        "weight-rewind": 1.0, "weight-rewind(to=epoch 20)": 0.75, "weight-rewind(to=step 3910)": 0.875,
    }  # fmt: skip


def test_a_finetuning_of_its_own_length_is_a_share_of_the_recipe() -> None:
    fine = '{ name = "finetune", epochs = %s, lr = %s }'
    both = study(f'at = "end"\nretrain = [{fine % (20, 0.01)}, {fine % (40, 0.02)}]')
    assert list(lengths(both).values()) == [
        ('{ name = "finetune", lr = 0.01 }', 0.25),
        ('{ name = "finetune", lr = 0.02 }', 0.5),
    ]
    plain = study('at = "end"\nretrain = { name = "finetune", epochs = 20 }')
    assert list(lengths(plain).values()) == [("finetune", 0.25)]


def test_a_published_name_includes_every_choice_of_parameters() -> None:
    weight = '{ name = "snip", wrt = "weight" }'
    assert arms.selects("criterion", "snip", "snip")
    assert arms.selects("criterion", "snip", weight)
    assert not arms.selects("criterion", "snip", "synflow")
    assert not arms.selects("criterion", weight, "snip")
