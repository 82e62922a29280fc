"""Every combination that no study can mean is refused by name, and its neighbours that can be are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prunectl.study.check import MOST_TRIALS

if TYPE_CHECKING:
    from unit.study.conftest import LoadText, Problems

BASE = """\
name = "x"
[data]
name = "digits"
[model]
name = "vgg16"
[train]
{train}
[sweep]
{sweep}
[[prune]]
{prune}
"""


def study(prune: str, train: str = "epochs = 10", sweep: str = "sparsities = [0.5]") -> str:
    return BASE.format(prune=prune, train=train, sweep=sweep)


M = 'criterion = "magnitude"\n'
END = M + 'at = "end"\n'


@pytest.mark.parametrize(
    ("prune", "key", "message"),
    [
        (M + 'retrain = "finetune"', "prune[0].retrain", '"finetune" follows pruning at = "end", not at = "init"'),
        (M + 'retrain = ["none", "lr-rewind"]', "prune[0].retrain[1]", '"lr-rewind" follows'),
        (M + 'at = ["end", {step = 3}]\nretrain = "weight-rewind"', "prune[0].retrain", "not at = { step = 3 }"),
        (END + "finetune = { lr = 0.1 }", "prune[0].finetune", "no arm here is fine-tuned"),
        (END + 'rewind_to = "init"', "prune[0].rewind_to", "no arm here is rewound"),
        (END + 'retrain = "weight-rewind"\nrewind_to = {epoch = 11}', "prune[0].rewind_to.epoch", "has 10 epochs"),
        (M + "at = { epoch = 11 }", "prune[0].at.epoch", "epoch 11 is beyond the end"),
        (M + 'rounds = "iterative"\nretrain = "lr-rewind"', "prune[0].rounds", 'need at = "end", not at = "init"'),
        (END + 'rounds = ["one-shot", "iterative"]', "prune[0].rounds[1]", 'so not retrain = "none"'),
        (M + 'schedule = "restart"', "prune[0].schedule", "no schedule to restart"),
        ('criterion = "synflow"\nscope = "layerwise"', "prune[0].scope", '"synflow" cannot be spread by "layerwise"'),
        (END + 'retrain = "finetune"\nfinetune = { optimizer = { name = "sgd", momentum = 0, nesterov = true } }',
         "prune[0].finetune.optimizer.nesterov", "needs a momentum above 0"),
        (END + 'retrain = "finetune"\nfinetune = { epochs = 4, schedule = { name = "step", milestones = [4] } }',
         "prune[0].finetune.schedule.milestones[0]", "before the end of the training at 4"),
        (END + 'retrain = "finetune"\nfinetune = { schedule = { name = "constant", warmup = 10 } }',
         "prune[0].finetune.schedule.warmup", "leaves nothing of a training of 10"),
    ],
)  # fmt: skip
def test_an_impossible_arm_is_refused_where_it_is_said(problems: Problems, prune: str, key: str, message: str) -> None:
    found = {each.key: each.message for each in problems(study(prune))}
    assert key in found
    assert message in found[key]


@pytest.mark.parametrize(
    "prune",
    [
        'criterion = "synflow"\nat = "end"',
        END + 'retrain = ["none", "finetune", "weight-rewind", "lr-rewind"]\nfinetune = { lr = 0.1 }',
        END + 'retrain = "weight-rewind"\nrewind_to = { step = 1_000_000 }',  # not comparable with epochs
        END + 'rounds = { name = "iterative", rate = 0.2 }\nretrain = "lr-rewind"',
        M + 'at = ["init", { epoch = 9 }]\nschedule = "restart"',
        M + 'ablation = ["none", "shuffle", "reinit", "invert"]',
        'criterion = "snip"\nrounds = { name = "exponential", count = 100 }',
        'criterion = "magnitude"\nstructure = "channels"',
        M + '[[prune]]\ncriterion = "magnitude"\nat = "end"',
        M + '[[prune]]\ncriterion = "magnitude"\nrounds = { name = "linear", count = 2 }',
        END + 'retrain = "finetune"\n[[prune]]\n' + END + 'retrain = "finetune"\nfinetune = { lr = 0.1 }',
        M + "at = { step = 1 }\n[[prune]]\n" + M + 'at = { step = 1 }\nschedule = "restart"',
    ],
)
def test_what_is_possible_is_not_refused(load_text: LoadText, prune: str) -> None:
    load_text(study(prune))


@pytest.mark.parametrize(
    ("train", "key", "message"),
    [
        ('epochs = 10\noptimizer = { name = "sgd", nesterov = true, momentum = 0 }', "train.optimizer.nesterov",
         "needs a momentum above 0"),
        ('epochs = 10\noptimizer = { name = "adam", nesterov = true }', "train.optimizer.nesterov",
         "unknown key; allowed here: beta1, beta2, eps"),
        ('epochs = 10\noptimizer = { name = "sgd", momentun = 0.5 }', "train.optimizer.momentun", "unknown key"),
        ('epochs = 10\noptimizer = "sdg"', "train.optimizer", 'there is no optimizer "sdg"; there are sgd, adam'),
        ('epochs = 10\nschedule = { name = "linear", warmup = 10 }', "train.schedule.warmup", "leaves nothing"),
        ('epochs = 10\nschedule = { name = "cyclic", half_cycle = 10 }', "train.schedule.half_cycle", "highest rate"),
        ('epochs = 10\nschedule = { name = "step", milestones = [2, 1] }', "train.schedule.milestones[1]",
         "milestones must ascend; 1 follows 2"),
        ('epochs = 10\nschedule = { kind = "step" }', "train.schedule.name", "the name of a schedule: constant, step"),
        ('steps = 9\nschedule = { name = "step", milestones = [5, 9] }', "train.schedule.milestones[1]", "at 9"),
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(problems: Problems, train: str, key: str, message: str) -> None:
    (problem,) = problems(study(M, train=train))
    assert problem.key == key
    assert message in problem.message


def test_problems_of_optimizers_and_schedules_have_a_nearest_name_and_a_place(problems: Problems) -> None:
    train = 'epochs = 10\noptimizer = "sdg"\nschedule = { name = "step", milestones = [5, 5], gama = 0.5 }'
    optimizer, milestones, gamma = problems(study(M, train=train))
    assert optimizer.hint == 'did you mean "sgd"?'
    assert gamma.hint == 'did you mean "gamma"?'
    assert [each.where for each in (optimizer, milestones, gamma)] == [
        "study.toml:8:1",
        "study.toml:9:46",
        "study.toml:9:50",
    ]


def test_fine_tuning_with_another_optimizer_is_not_held_to_the_momentum_of_the_recipe(load_text: LoadText) -> None:
    train = 'epochs = 3\noptimizer = { name = "sgd", nesterov = true }'
    load_text(study(END + 'retrain = "finetune"\nfinetune = { optimizer = "adam" }', train=train))


def test_an_arm_in_two_tables_is_refused(problems: Problems) -> None:
    second = '[[prune]]\ncriterion = ["snip", "magnitude"]\nablation = ["shuffle", "none"]'
    (problem,) = problems(study(M + 'at = ["init", "end"]\n' + second))
    assert problem.key == "prune[1]"
    assert problem.message == "the arm magnitude, init, global, weights, none, none is in prune[0] already"


def test_levels_of_two_rates_are_refused(problems: Problems) -> None:
    prune = END + 'rounds = { name = "iterative", rate = 0.3 }\nretrain = "lr-rewind"'
    (problem,) = problems(study(prune, sweep="levels = { rate = 0.2, count = 3 }"))
    assert problem.key == "prune[0].rounds.rate"


def test_a_subset_larger_than_the_data_is_refused(problems: Problems) -> None:
    (problem,) = problems(study(M), "data.test_limit=201")
    assert "more than the 200 images that digits has" in problem.message


def test_a_study_that_is_too_large_is_refused(problems: Problems, load_text: LoadText) -> None:
    sweep = f"sparsities = [{', '.join(str(i / 1000) for i in range(101))}]\nseeds = 10_000"
    (problem,) = problems(study(M, sweep=sweep))
    assert f"1,010,000 trials; at most {MOST_TRIALS:,}" in problem.message
    load_text(study(M, sweep=sweep), "sweep.seeds=9000")


def test_a_long_file_is_judged_in_seconds(problems: Problems) -> None:
    tables = "\n".join(f"[[prune]]\ncriterion = {{ name = 'snip', samples_per_class = {n} }}" for n in range(1, 600))
    (problem,) = problems(study(M + tables))
    assert problem.message == "must be a list of at least one and at most 500, each a table, not a list of 600"


CLAIM = '\n[[claim]]\ntext = "t"\nbetter = {better}\nthan = {{ ablation = "shuffle" }}\n'
ARMS = 'criterion = ["snip", { name = "magnitude" }]\nablation = ["none", "shuffle"]\n[[prune]]\n' + (
    'criterion = "synflow"\nat = { epoch = 3 }'
)


@pytest.mark.parametrize(
    ("better", "key", "message", "hint"),
    [
        ('{ criterion = "snap" }', ".criterion", "they have snip, magnitude, synflow", 'did you mean "snip"?'),
        ('{ ablation = "invert" }', ".ablation", 'no arm of the study has ablation = "invert"', None),
        ('{ criterion = "synflow", ablation = "shuffle" }', "", 'ablation = "shuffle" together', None),
        ('{ criterion = "synflow", at = "init" }', "", 'criterion = "synflow" and at = "init" together', None),
        ('{ criterion = "snip", rounds = "exponential" }', "", "together", None),
        ("{ at = { epoch = 4 } }", ".at", "at = { epoch = 4 }; they have init, { epoch = 3 }", None),
        ("{ budget = 0.5 }", ".budget", "no arm of the study has budget = 0.5", None),
        ('{ rewind_to = "init" }', ".rewind_to", 'no arm of the study has rewind_to = "init"', None),
        ('{ criterion = { name = "snip", samples_per_class = 3 } }', ".criterion", "samples_per_class = 3", None),
        ("{ criterion = 3 }", ".criterion", "criterion = 3", None),
        ('{ criterion = { __class__ = "x" } }', ".criterion", "__class__", None),
        ('{ scope = "globl" }', ".scope", "they have global", 'did you mean "global"?'),
    ],
)
def test_a_selector_that_selects_no_arm_is_refused(
    problems: Problems, better: str, key: str, message: str, hint: str | None
) -> None:
    (problem,) = problems(study(ARMS) + CLAIM.format(better=better))
    assert problem.key == f"claim[0].better{key}"
    assert message in problem.message
    assert problem.hint == hint


@pytest.mark.parametrize(
    "better",
    [
        '{ criterion = "snip", ablation = "none" }',
        '{ criterion = { name = "snip", samples_per_class = 10 } }',
        '{ criterion = "synflow", rounds = "exponential" }',
        '{ criterion = "synflow", rounds = { name = "exponential", count = 100 } }',
        "{ at = { epoch = 3 } }",
        '{ at = "init", scope = "global", structure = "weights", retrain = "none" }',
    ],
)
def test_a_selector_that_selects_an_arm_is_taken(load_text: LoadText, better: str) -> None:
    load_text(study(ARMS) + CLAIM.format(better=better))


def test_a_claim_is_about_sparsities_of_the_sweep(problems: Problems, load_text: LoadText) -> None:
    text = study(ARMS, sweep="levels = { rate = 0.2, count = 3 }") + CLAIM.format(better='{ ablation = "none" }')
    load_text(text + "at_sparsity = [0.2, 0.488]")
    (problem,) = problems(text + "at_sparsity = [0.2, 0.5]")
    assert problem.key == "claim[0].at_sparsity[1]"
    assert problem.message == "0.5 is no sparsity of the sweep: 0, 0.2, 0.36, 0.488"


LR = END + 'retrain = "lr-rewind"\n'
FINE = END + 'retrain = "finetune"\n'
MIDDLE = M + 'at = [{ epoch = 3 }, "init"]\n'
AGAIN = "[[prune]]\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LR + "budget = 0.25\n", LR + "budget = 0.5"),
        (LR + "budget = 0.25\n", LR),
        (LR + "budget = [0.25, { epochs = 5 }]\n", LR + "budget = [0.5, { steps = 5 }]"),
        (END + 'retrain = "weight-rewind"\nbudget = 0.5\n', END + 'retrain = "weight-rewind"\nbudget = 0.25'),
        (FINE + "budget = 0.25\n", FINE + "budget = 0.5"),
        (FINE + "finetune = { lr = 0.1 }\n", FINE + "finetune = { epochs = 3, lr = 0.1 }"),
        (FINE + "finetune = { epochs = 3 }\n", FINE + "budget = 1.0"),
        (FINE + "finetune = { epochs = 3 }\n", FINE + "finetune = { steps = 3 }"),
        (M + "at = { epoch = 3 }\n", M + 'at = { epoch = 3 }\nschedule = "restart"'),
        (
            LR + 'rounds = { name = "iterative", rate = 0.2 }\n',
            LR + 'rounds = { name = "iterative", rate = 0.2000000001 }',
        ),
    ],
)
def test_two_tables_may_differ_in_nothing_but_how_they_train(load_text: LoadText, first: str, second: str) -> None:
    load_text(study(first + AGAIN + second))


@pytest.mark.parametrize(
    ("first", "second", "arm"),
    [
        (LR + "budget = [0.25, 0.5]\n", LR + "budget = [0.5, 1.0]", "lr-rewind(budget=0.5)"),
        (LR, LR + "budget = 1.0", "lr-rewind"),
        (FINE + "finetune = { batch_size = 128 }\n", FINE + "finetune = { lr = 0.001 }", "finetune"),
        (MIDDLE, MIDDLE + 'schedule = "restart"', "magnitude, init"),
        (
            'criterion = "synflow"\n',
            'criterion = "synflow"\nrounds = { name = "exponential", count = 100 }',
            "synflow, init",
        ),
    ],
)  # fmt: skip
def test_an_arm_that_its_label_cannot_tell_from_an_earlier_one_is_refused(
    problems: Problems, first: str, second: str, arm: str
) -> None:
    (problem,) = problems(study(first + AGAIN + second))
    assert problem.key == "prune[1]"
    assert problem.message.startswith("the arm ") and problem.message.endswith(" is in prune[0] already")
    assert arm in problem.message


@pytest.mark.parametrize(
    ("prune", "name"),
    [
        (LR + "budget = [0.33333331, 0.33333332]", "lr-rewind(budget=0.333333)"),
    ],
)  # fmt: skip
def test_two_arms_of_a_table_with_one_label_are_refused(problems: Problems, prune: str, name: str) -> None:
    (problem,) = problems(study(prune))
    assert (problem.key, problem.message) == ("prune[0]", f"two arms are called {name}")
