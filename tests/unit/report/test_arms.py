"""What charts and tables ask about arms."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report import arms
from prunectl.results.table import SCHEMA, Results
from unit.report import small

END = made_up.STUDY.partition("[[prune]]")[0] + '[[prune]]\ncriterion = "magnitude"\nat = "end"\n'


def study(prune: str) -> Results:
    """Results of arms that are pruned at the end of 80 epochs."""
    return made_up.results(END + prune, seeds=1, failed=0)


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
    moments = ["epoch=1", "step=50", "end", "step=600", "init"]
    assert sorted(moments, key=lambda at: arms.moment(at, 469.0)) == ["init", "step=50", "epoch=1", "step=600", "end"]
    assert arms.moment("epoch=1(schedule=restart)", 469.0) == arms.moment("epoch=1", 469.0)


def test_without_the_length_of_an_epoch_each_unit_is_still_in_order() -> None:
    moments = ["epoch=20", "end", "epoch=9", "init"]
    assert sorted(moments, key=arms.moment) == ["init", "epoch=9", "epoch=20", "end"]


def test_the_steps_of_an_epoch_are_read_off_a_curve() -> None:
    results = study('retrain = "finetune"')
    assert arms.steps_per_epoch(results) == 391
    assert arms.steps_per_epoch(replace(results, curves=results.curves.clear())) is None


def test_only_iterative_rounds_retrain_between_rounds() -> None:
    assert not arms.retrained_between_rounds(small.trials({"rounds": "one-shot"}, {"rounds": "exponential(count=3)"}))
    assert arms.retrained_between_rounds(small.trials({"rounds": "one-shot"}, {"rounds": "iterative"}))


def test_budgets_are_shares_of_the_recipe() -> None:
    three = 'retrain = ["none", "finetune", "weight-rewind", "lr-rewind"]\nbudget = [0.1, 0.5, 1.0]'
    kinds = ("finetune", "weight-rewind", "lr-rewind")
    assert arms.retrainings(study(three)) == {
        **{f"{kind}(budget={share})": (kind, share) for kind in kinds for share in (0.1, 0.5)},
        **{kind: (kind, 1.0) for kind in kinds},
    }


def test_rewinding_to_a_moment_retrains_the_rest() -> None:
    rewound = study('retrain = "weight-rewind"\nrewind_to = ["init", { epoch = 20 }, { step = 3910 }]')
    assert {label: share for label, (_, share) in arms.retrainings(rewound).items()} == {
        "weight-rewind": 1.0, "weight-rewind(epoch=20)": 0.75, "weight-rewind(step=3910)": 0.875,
    }  # fmt: skip


def test_a_finetuning_of_its_own_length_is_a_share_of_the_recipe() -> None:
    fine = 'retrain = "finetune"\nfinetune = { epochs = %s, lr = %s }\n'
    assert arms.retrainings(study(fine % (20, 0.01))) == {"finetune": ("finetune", 0.25)}
    second = '[[prune]]\ncriterion = "magnitude"\nat = "end"\n'
    assert arms.retrainings(study(fine % (20, 0.01) + second + fine % (40, 0.02))) == {
        "finetune(epochs=20, lr=0.01)": ("finetune(lr=0.01)", 0.25),
        "finetune(epochs=40, lr=0.02)": ("finetune(lr=0.02)", 0.5),
    }


def test_a_published_name_includes_every_choice_of_parameters() -> None:
    assert arms.selects("criterion", "snip", "snip")
    assert arms.selects("criterion", "snip", "snip(wrt=weight)")
    assert not arms.selects("criterion", "snip", "synflow")
    assert not arms.selects("criterion", "snip(wrt=weight)", "snip")
