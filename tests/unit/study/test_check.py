"""Every combination that no study can mean is refused by name, and its neighbours that can be are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prunectl.study import check
from prunectl.study.arms import Arm, number_of_arms
from prunectl.study.check import MOST_ARMS, MOST_TRIALS

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
CLAIM = '\n[[claim]]\ntext = "t"\nbetter = {better}\nthan = {{ ablation = "shuffle" }}\n'
ARMS = 'criterion = ["snip", { name = "magnitude" }]\nablation = ["none", "shuffle"]\n[[prune]]\n' + (
    'criterion = "synflow"\nat = { epoch = 3 }\ninit = "orthogonal"'
)


@pytest.mark.parametrize(
    ("prune", "key", "message"),
    [
        (M + 'retrain = "finetune"', "prune[0].retrain", '"finetune" follows pruning at = "end", not at = "init"'),
        (M + 'retrain = ["none", "lr-rewind"]', "prune[0].retrain[1]", '"lr-rewind" follows'),
        (M + 'at = ["end", {step = 3}]\nretrain = "weight-rewind"', "prune[0].retrain", "not at = { step = 3 }"),
        (END + "budget = 0.5", "prune[0].budget", "no arm here is retrained"),
        (END + 'retrain = ["none", "recalibrate"]\nbudget = 0.5', "prune[0].budget", "no arm here is retrained"),
        (END + 'retrain = { name = "recalibrate", lr = 0.1 }', "prune[0].retrain.lr", "allowed here: name"),
        (END + 'retrain = { name = "lr-rewind", to = "init" }', "prune[0].retrain.to",
         "allowed here: optimizer_state, repeat, name"),
        (END + 'retrain = { name = "weight-rewind", to = {epoch = 11} }', "prune[0].retrain.to.epoch", "has 10 epochs"),
        (END + 'retrain = ["none", { name = "weight-rewind", to = {epoch = 11} }]', "prune[0].retrain[1].to.epoch",
         "epoch 11 is beyond the end"),
        (END + 'retrain = ["lr-rewind", { name = "weight-rewind", to = {epoch = 2} }]\nbudget = 0.5',
         "prune[0].retrain[1].to", "to sets the length of the retraining, and so does budget; keep one of them"),
        (END + 'retrain = { name = "weight-rewind", to = "init" }\nbudget = 1.0', "prune[0].retrain.to",
         "and so does budget"),
        (END + 'retrain = { name = "finetune", epochs = 3 }\nbudget = 0.5', "prune[0].retrain.epochs",
         "and so does budget"),
        (END + 'retrain = { name = "finetune", steps = 3 }\nbudget = 0.5', "prune[0].retrain.steps",
         "and so does budget"),
        (END + 'retrain = { name = "finetune", epochs = 3, steps = 3 }', "prune[0].retrain.steps",
         "cannot be combined with epochs"),
        (END + 'retrain = "weight-rewind"\nbudget = [0.5, { epochs = 11 }]', "prune[0].budget[1].epochs",
         "11 epochs are more than the training has, 10; rewinding goes no further back"),
        (M + "at = { epoch = 11 }", "prune[0].at.epoch", "epoch 11 is beyond the end"),
        (M + 'rounds = "iterative"\nretrain = "lr-rewind"', "prune[0].rounds", 'need at = "end", not at = "init"'),
        (END + 'rounds = ["one-shot", "iterative"]', "prune[0].rounds[1]", 'so not retrain = "none"'),
        (END + 'rounds = { name = "iterative", rate = 1e-7 }\nretrain = "lr-rewind"', "prune[0].rounds.rate",
         "a number, at least 0.001 and less than 1, not 1e-07"),  # 6,931,472 trainings to half of the weights
        (M + 'at = { epoch = 0, schedule = "restart" }', "prune[0].at.schedule", "before the schedule begins"),
        (M + 'at = ["init", { step = 0, schedule = "continue" }]', "prune[0].at[1].schedule", 'step 0 is "init"'),
        (M + 'at = { epoch = 3, schedule = "again" }', "prune[0].at.schedule", 'one of "continue", "restart"'),
        ('criterion = "synflow"\nscope = "layerwise"', "prune[0].scope", '"synflow" cannot be spread by "layerwise"'),
        (M + 'structure = "channels"\nscope = ["global", "layerwise"]', "prune[0].scope[1]",
         '"layerwise" spreads single weights, not channels'),
        (M + 'structure = ["weights", { name = "n-of-m", n = 2, m = 5 }]', "prune[0].structure[1]",
         "the only sparsities of n-of-m(n=2, m=5) are 0 and 0.6, not 0.5"),
        (M + 'structure = { name = "n-of-m", n = 2, m = 4 }\nrounds = { name = "linear", count = 2 }',
         "prune[0].structure", "are 0 and 0.5, not 0.25"),
        (END + 'structure = { name = "n-of-m", n = 2, m = 4 }\nretrain = "lr-rewind"\n'
         'rounds = { name = "iterative", rate = 0.2 }', "prune[0].structure", "are 0 and 0.5, not 0.2"),
        (M + 'structure = { name = "n-of-m", n = 2, m = 4 }\nscope = "layerwise"', "prune[0].scope",
         "keeps the same share of every layer: leave scope out"),
        (M + 'structure = ["weights", "channels"]\nablation = ["none", "shuffle-global"]', "prune[0].ablation[1]",
         'structure "channels" prunes weights that belong together'),
        (M + 'at = ["init", "init"]', "prune[0].at[1]", '"init" is in the list twice'),
        (END + 'retrain = ["weight-rewind", { name = "weight-rewind", to = { epoch = 0 } }]', "prune[0].retrain[1]",
         "this is in the list twice (first at place 0, counted from 0)"),
        (M + 'at = [{ epoch = 3 }, { epoch = 3, schedule = "continue" }]', "prune[0].at[1]", "this is in the list"),
        (END + 'retrain = { name = "finetune", optimizer = { name = "sgd", momentum = 0, nesterov = true } }',
         "prune[0].retrain.optimizer.nesterov", "needs a momentum above 0"),
        (END + 'retrain = { name = "finetune", epochs = 4, schedule = { name = "step", milestones = [4] } }',
         "prune[0].retrain.schedule.milestones[0]", "before the end of the training at 4"),
        (END + 'retrain = ["none", { name = "finetune", schedule = { name = "constant", warmup = 10 } }]',
         "prune[0].retrain[1].schedule.warmup", "leaves nothing of a training of 10"),
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
        END + 'retrain = ["none", { name = "finetune", lr = 0.1 }, "weight-rewind", "lr-rewind"]',
        END + 'retrain = { name = "weight-rewind", to = { step = 1_000_000 } }',  # not comparable with epochs
        END + 'retrain = "lr-rewind"\nbudget = { steps = 1_000_000 }',
        END + 'retrain = "lr-rewind"\nbudget = [2.0, "flops", { flops = true, cap = 2 }, { epochs = 11 }]',
        END + 'retrain = "lr-rewind"\nbudget = 2\nablation = ["none", "reinit"]',
        END + 'retrain = "lr-rewind"\nrounds = "iterative"\nbudget = 2\nablation = "reinit"',
        END + 'retrain = { name = "rewind", weights = { epoch = 2 }, schedule = "init" }',
        M + '[[control]]\nretrain = ["lr-rewind", { name = "finetune", repeat = 2 }]\nbudget = 0.5',
        END + 'retrain = "finetune"\nbudget = { epochs = 30 }',  # only what rewinds is held to the training
        END + 'retrain = ["none", "lr-rewind", "weight-rewind"]\nbudget = [0.5, { epochs = 10 }]',
        END + 'rounds = { name = "iterative", rate = 0.2 }\nretrain = "lr-rewind"',
        M + 'at = ["init", { epoch = 9, schedule = "restart" }]',
        M + 'ablation = ["none", "shuffle", "reinit", "invert"]',
        'criterion = "snip"\nrounds = { name = "exponential", count = 100 }',
        'criterion = "magnitude"\nstructure = "channels"',
        M + 'structure = ["weights", { name = "n-of-m", n = 2, m = 4 }]\nablation = "shuffle"',
        M + 'structure = "weights"\nablation = "shuffle-global"',
        M + '[[prune]]\ncriterion = "magnitude"\nat = "end"',
        M + '[[prune]]\ncriterion = "magnitude"\nrounds = { name = "linear", count = 2 }',
        END + 'retrain = "finetune"\n[[prune]]\n' + END + 'retrain = { name = "finetune", lr = 0.1 }',
        M + "at = { step = 1 }\n[[prune]]\n" + M + 'at = { step = 1, schedule = "restart" }',
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
        ('epochs = 10\nschedule = { milestones = [5] }', "train.schedule.name", "the name of a schedule: constant"),
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


OTHER_OPTIMIZER = 'retrain = { name = "finetune", optimizer = "adam"'


def test_fine_tuning_with_another_optimizer_is_not_held_to_the_momentum_of_the_recipe(load_text: LoadText) -> None:
    train = 'epochs = 3\noptimizer = { name = "sgd", nesterov = true }'
    load_text(study(END + OTHER_OPTIMIZER + ', optimizer_state = "fresh" }', train=train))
    load_text(
        study(END + 'retrain = { name = "finetune", optimizer = { name = "sgd", nesterov = true } }', train=train)
    )


def test_another_optimizer_cannot_go_on_with_the_momentum_of_the_recipe(problems: Problems) -> None:
    (problem,) = problems(study(END + OTHER_OPTIMIZER + " }"))
    assert problem.key == "prune[0].retrain.optimizer"
    assert problem.message == (
        'another optimizer cannot go on with what [train]\'s, sgd, has kept: write optimizer_state = "fresh"'
    )


REINIT = 'ablation = ["none", "reinit"]\n'


@pytest.mark.parametrize(
    ("prune", "key", "message"),
    [
        (END + 'retrain = "finetune"\n' + REINIT, "ablation[1]", 'retrain = "finetune" is no training from the start'),
        (END + REINIT, "ablation[1]", 'retrain = "none" would leave them untrained'),
        (END + 'retrain = "recalibrate"\n' + REINIT, "ablation[1]", '"recalibrate" would leave them untrained'),
        (END + 'retrain = "lr-rewind"\nbudget = [1.0, 0.5]\n' + REINIT, "budget[1]", "and budget 0.5 is less"),
        (END + 'retrain = "lr-rewind"\nbudget = { epochs = 9 }\n' + REINIT, "budget", "and 9 epochs is less"),
        (END + 'retrain = "finetune"\nbudget = 1.5\n', "budget", '1.5 times the recipe is not for "finetune"'),
        (END + 'retrain = "finetune"\nbudget = "flops"\n', "budget", 'a budget in FLOPs is not for "finetune"'),
        (END + 'retrain = "weight-rewind"\nbudget = "flops"\n', "budget", 'in FLOPs is not for "weight-rewind"'),
    ],
)  # fmt: skip
def test_weights_drawn_again_take_the_whole_recipe(problems: Problems, prune: str, key: str, message: str) -> None:
    (problem,) = problems(study(prune))
    assert problem.key == f"prune[0].{key}"
    assert message in problem.message
    assert problem.hint


@pytest.mark.parametrize("retrain", ["lr-rewind", "weight-rewind"])
@pytest.mark.parametrize("budget", ["1.0", "2.5", "{ epochs = 10 }", "{ epochs = 25 }", "[1.0, 3]"])
def test_weights_drawn_again_may_be_trained_for_longer(load_text: LoadText, retrain: str, budget: str) -> None:
    load_text(study(END + f'retrain = "{retrain}"\nbudget = {budget}\nablation = "reinit"'))


def test_weights_drawn_again_may_be_pruned_at_every_moment_before_the_end(load_text: LoadText) -> None:
    load_text(study(M + 'at = ["init", { epoch = 3 }]\n' + REINIT))


def test_a_structure_with_few_sparsities_has_them_of_what_it_prunes(problems: Problems) -> None:
    prune = M + 'structure = { name = "n-of-m", n = 2, m = 4 }\n'
    (problem,) = problems(study(prune, sweep='sparsities = [0, 0.5]\nof = "all"'))
    assert problem.key == "prune[0].structure"
    assert "fractions of the prunable weights" in problem.message


def test_an_arm_in_two_tables_is_refused(problems: Problems) -> None:
    second = '[[prune]]\ncriterion = ["snip", "magnitude"]\nablation = ["shuffle", "none"]'
    (problem,) = problems(study(M + 'at = ["init", "end"]\n' + second))
    assert problem.key == "prune[1]"
    assert problem.message == "the arm magnitude · at init is in prune[0] already"


def test_levels_of_two_rates_are_refused(problems: Problems) -> None:
    prune = END + 'rounds = { name = "iterative", rate = 0.3 }\nretrain = "lr-rewind"'
    (problem,) = problems(study(prune, sweep="levels = { rate = 0.2, count = 3 }"))
    assert problem.key == "prune[0].rounds.rate"


def test_a_subset_larger_than_the_data_is_refused(problems: Problems) -> None:
    (problem,) = problems(study(M), "data.test_limit=201")
    assert "more than the 200 images that digits has" in problem.message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.validation=1000"], "of the 1,000 training images of digits it leaves 0"),
        (
            ["data.validation=501", "data.train_limit=500"],
            "of the 1,000 training images of digits it leaves 499, fewer than train_limit = 500",
        ),
    ],
)
def test_validation_images_leave_something_to_train_on(problems: Problems, overrides: list[str], message: str) -> None:
    (problem,) = problems(study(M), *overrides)
    assert (problem.message, problem.path) == (message, ("data", "validation"))


VALIDATED = """
[[claim]]
text = "Random is worse"
better = { criterion = "magnitude" }
than = { criterion = "random" }
metric = "top1_validation"
"""


@pytest.mark.usefixtures("real_catalogs")
def test_a_claim_is_about_what_the_study_measures(problems: Problems, load_text: LoadText) -> None:
    text = study('criterion = ["magnitude", "random"]' + VALIDATED).replace('"digits"', '"cifar10"')
    (problem,) = problems(text)
    assert problem.key == "claim[0].metric"
    assert problem.message == "top-1 accuracy on validation images is not measured by this study"
    assert problem.hint == "write it in [data]: validation = N, the number of images held out"
    assert load_text(text, "data.validation=5000").study.claim[0].metric.part == "validation"
    (problem,) = problems(text, 'claim[0].metric="top1_train"')
    assert problem.hint == "write it in [data]: top1_train = true"


def test_a_study_that_is_too_large_is_refused(problems: Problems, load_text: LoadText) -> None:
    sweep = f"sparsities = [{', '.join(str(i / 1000) for i in range(101))}]\nseeds = 10_000"
    (problem,) = problems(study(M, sweep=sweep))
    assert f"1,010,000 trials; at most {MOST_TRIALS:,}" in problem.message
    load_text(study(M, sweep=sweep), "sweep.seeds=9000")


@pytest.mark.parametrize(
    ("seeds", "key", "message", "hint"),
    [
        ('{ until = "settled" }', "until", "needs a claim to settle, and the study has no [[claim]]", "seeds = 3"),
        ('{ until = "setled" }', "until", 'must be "settled", not "setled"', 'did you mean "settled"?'),
        ('{ until = "settled", at_least = 2 }', "at_least", "must be at least 3, not 2: fewer seeds have no", None),
        ('{ until = "settled", at_mst = 8 }', "at_mst", "unknown key", 'did you mean "at_most"?'),
    ],
)
def test_seeds_until_settled_are_refused_where_they_cannot_be_meant(
    problems: Problems, load_text: LoadText, seeds: str, key: str, message: str, hint: str | None
) -> None:
    """Each at its own place in the file."""
    (problem,) = problems(study(M, sweep=f"sparsities = [0.5]\nseeds = {seeds}"))
    assert problem.key == f"sweep.seeds.{key}"
    assert message in problem.message
    assert hint is None or hint in (problem.hint or "")


def test_seeds_until_settled_are_read_with_a_claim(load_text: LoadText) -> None:
    text = study(M + 'ablation = ["none", "shuffle"]' + CLAIM.format(better='{ ablation = "none" }'))
    looks = load_text(text, 'sweep.seeds={ until = "settled", at_most = 4 }').study.sweep.looks
    assert [look.seeds for look in looks] == [3, 4]


def snips(count: int) -> str:
    """As many arms, each of its own."""
    tables = (f'{{ name = "snip", samples_per_class = {n} }}' for n in range(1, count + 1))
    return f"criterion = [{', '.join(tables)}]"


MANY = snips(500) + '\nablation = ["none", "shuffle", "reinit", "invert"]\nat = [{}]'
MOMENTS = ", ".join(f"{{ epoch = {n} }}" for n in range(1, 11))


def test_as_many_arms_as_can_be_planned_are_judged_one_by_one(problems: Problems, load_text: LoadText) -> None:
    text = study(MANY.replace("{}", MOMENTS)) + CLAIM.format(better='{ ablation = "invert" }')
    study_of_all = load_text(text).study
    assert number_of_arms(study_of_all.prune[0]) == MOST_ARMS == 20_000
    (problem,) = problems(text.replace('better = { ablation = "invert" }', 'better = { scope = "layerwise" }'))
    assert problem.message == 'no arm of the study has scope = "layerwise"; they have global'


def test_more_arms_than_can_be_planned_are_refused_without_expanding_them(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "expand", lambda *_: pytest.fail("20,001 arms were expanded"))
    (problem,) = problems(study(MANY.replace("{}", MOMENTS) + "\n[[prune]]\n" + M))
    assert problem.key == "prune"
    assert problem.message == "the study has 20,001 arms; at most 20,000 can be planned"
    assert problem.hint == "split it, or shorten its lists"


def test_the_label_of_an_arm_is_asked_for_once(monkeypatch: pytest.MonkeyPatch, load_text: LoadText) -> None:
    asked: list[str | None] = []

    def label(arm: Arm) -> str | None:
        asked.append(arm.cell("criterion"))
        return asked[-1]

    monkeypatch.setattr(Arm, "label", property(label))
    load_text(study(snips(100) + "\n[[prune]]\n" + END))
    assert len(asked) == 101


def test_a_long_file_is_judged_in_seconds(problems: Problems) -> None:
    tables = "\n".join(f"[[prune]]\ncriterion = {{ name = 'snip', samples_per_class = {n} }}" for n in range(1, 600))
    (problem,) = problems(study(M + tables))
    assert problem.message == "must be a list of at least one and at most 500, each a table, not a list of 600"


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
        ('{ retrain = { name = "weight-rewind", to = "init" } }', ".retrain", 'to = "init" }; they have none', None),
        ('{ rewind_to = "init" }', ".rewind_to", "unknown key; allowed here: criterion, scope, structure, at,", None),
        ('{ init = "orthogonl" }', ".init", "they have kaiming-normal, orthogonal", 'did you mean "orthogonal"?'),
        ('{ criterion = { name = "snip", samples_per_class = 3 } }', ".criterion", "samples_per_class = 3", None),
        ("{ criterion = 3 }", ".criterion", "criterion = 3", None),
        ('{ criterion = { __class__ = "x" } }', ".criterion.__class__", "unknown key; allowed here: name", None),
        (
            '{ criterion = { name = "snip", samples_per_clas = 10 } }',
            ".criterion.samples_per_clas",
            "unknown key; allowed here: name, samples_per_class",
            'did you mean "samples_per_class"?',
        ),
        ("{ at = { epochs = 3 } }", ".at.epochs", "allowed here: epoch, step", 'did you mean "epoch"?'),
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


LR, REWIND = END + 'retrain = "lr-rewind"\n', END + 'retrain = "weight-rewind"\n'
FINE = END + 'retrain = "finetune"\n'
AGAIN = "[[prune]]\n"


def fine(parameters: str) -> str:
    """A table of arms that are fine-tuned with these parameters."""
    return END + f'retrain = {{ name = "finetune", {parameters} }}\n'


def rewind(to: str) -> str:
    """A table of arms that are rewound to this moment."""
    return END + f'retrain = {{ name = "weight-rewind", to = {to} }}\n'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LR + "budget = 0.25\n", LR + "budget = 0.5"),
        (LR + "budget = 0.25\n", LR),
        (LR + "budget = [0.25, { epochs = 5 }]\n", LR + "budget = [0.5, { steps = 5 }]"),
        (END + 'retrain = "weight-rewind"\nbudget = 0.5\n', END + 'retrain = "weight-rewind"\nbudget = 0.25'),
        (FINE + "budget = 0.25\n", FINE + "budget = 0.5"),
        (fine("lr = 0.1"), fine("epochs = 3, lr = 0.1")),
        (fine("epochs = 3"), FINE + "budget = 1.0"),
        (fine("epochs = 3"), fine("steps = 3")),
        (rewind('"init"'), rewind('"end"')),
        (rewind("{ epoch = 2 }"), rewind("{ step = 2 }") + "[[prune]]\n" + END + 'retrain = "weight-rewind"\n'),
        (M + "at = { epoch = 3 }\n", M + 'at = { epoch = 3, schedule = "restart" }'),
        (M, M + 'init = "xavier-normal"'),
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
        (LR + "budget = [0.25, 0.5]\n", LR + "budget = [0.5, 1.0]", "magnitude · at end · lr-rewind, budget 0.5"),
        (LR, LR + "budget = 1.0", "magnitude · at end · lr-rewind"),
        (fine("lr = 0.001"), FINE, "magnitude · at end · finetune"),
        (REWIND, rewind('"init"'), "magnitude · at end · weight-rewind"),
        (rewind("{ epoch = 0 }"), REWIND + "budget = [1.0, 0.5]\n", "magnitude · at end · weight-rewind"),
        (
            M + 'at = [{ epoch = 3 }, "init"]\n',
            M + 'at = [{ epoch = 3, schedule = "restart" }, { step = 0 }]\n',
            "magnitude · at init",
        ),
        (
            M + "at = { epoch = 3 }\n",
            M + 'at = { epoch = 3, schedule = "continue" }\n',
            "magnitude · at epoch 3",
        ),
        (M, M + 'init = ["orthogonal", "kaiming-normal"]\n', "magnitude · at init"),
        (
            'criterion = "synflow"\n',
            'criterion = "synflow"\nrounds = { name = "exponential", count = 100 }',
            "synflow · at init",
        ),
    ],
)  # fmt: skip
def test_an_arm_that_its_label_cannot_tell_from_an_earlier_one_is_refused(
    problems: Problems, first: str, second: str, arm: str
) -> None:
    (problem,) = problems(study(first + AGAIN + second))
    assert problem.key == "prune[1]"
    assert problem.message == f"the arm {arm} is in prune[0] already"


@pytest.mark.parametrize(
    ("prune", "name"),
    [
        (
            LR + "budget = [0.33333331, 0.33333332]",
            "magnitude · at end · lr-rewind, budget 0.333333",
        ),
        (
            END + 'retrain = "finetune"\nbudget = [0.33333331, 0.33333332]',
            "magnitude · at end · finetune, budget 0.333333",
        ),
    ],
)
def test_two_arms_of_a_table_with_one_label_are_refused(problems: Problems, prune: str, name: str) -> None:
    (problem,) = problems(study(prune))
    assert (problem.key, problem.message) == ("prune[0]", f"two arms are called {name}")


N_OF_M = 'structure = { name = "n-of-m", n = 2, m = 4 }\n'
CHANNELS = 'structure = ["weights", "channels"]\n'


@pytest.mark.parametrize(
    ("prune", "sparsities", "key", "message", "hint"),
    [
        (M + N_OF_M, "[0, 0.5, 0.9]", "structure", "n-of-m(n=2, m=4) are 0 and 0.5, not 0.9", None),
        ('criterion = "synflow"\n' + N_OF_M, "[0.5]", "structure", "are 0 and 0.5, not 0.00", 'rounds = "one-shot"'),
        (LR + N_OF_M + 'rounds = { name = "iterative", rate = 0.2 }', "[0.5]", "structure", "not 0.2", None),
        (M + N_OF_M + 'scope = "layerwise"', "[0.5]", "scope", "keeps the same share of every layer", "with global"),
        (M + CHANNELS + 'scope = "layerwise"', "[0.5]", "scope", "spreads single weights, not channels", "with global"),
        (M + CHANNELS + 'ablation = ["none", "shuffle-global"]', "[0.5]", "ablation[1]", "belong together", None),
        (M + 'structure = { name = "n-of-m", n = 4, m = 4 }', "[0.5]", "structure", "n must be less than m = 4", None),
    ],
)
def test_what_a_structure_cannot_do_is_refused_where_it_stands(
    problems: Problems, prune: str, sparsities: str, key: str, message: str, hint: str | None
) -> None:
    (problem,) = problems(study(prune, sweep=f"sparsities = {sparsities}"))
    assert problem.key == f"prune[0].{key}"
    assert message in problem.message
    assert hint is None or hint in (problem.hint or "")
    assert (problem.where or "").startswith("study.toml:")


@pytest.mark.parametrize(
    ("prune", "sweep"),
    [
        (M + N_OF_M, "sparsities = [0, 0.5]"),
        (M + N_OF_M, "compression = [1, 2]"),
        ('criterion = "synflow"\nrounds = "one-shot"\n' + N_OF_M, "sparsities = [0.5]"),
        (LR + N_OF_M + 'rounds = "iterative"', "sparsities = [0, 0.5]"),
        (M + 'ablation = "shuffle-global"', "sparsities = [0.5]"),
        (M + CHANNELS + 'ablation = "shuffle"', "sparsities = [0.5]"),
    ],
)
def test_what_a_structure_can_do_is_not_refused(load_text: LoadText, prune: str, sweep: str) -> None:
    load_text(study(prune, sweep=sweep))


@pytest.mark.parametrize(
    ("control", "key", "message"),
    [
        ('retrain = "none"', "control[0].retrain", '"none" trains nothing'),
        ('retrain = ["lr-rewind", "recalibrate"]', "control[0].retrain[1]", '"recalibrate" trains nothing'),
        ('retrain = "finetune"\nbudget = "flops"', "control[0].budget", 'not for "finetune"'),
        ('retrain = "weight-rewind"\nbudget = { epochs = 11 }', "control[0].budget.epochs", "more than the training"),
        ('retrain = "lr-rewind"\n[[control]]\nretrain = "lr-rewind"', "control[1]", "is in control[0] already"),
        ('retrain = "lr-rewind"\ncriterion = "snip"', "control[0].criterion", "unknown key"),
        ("budget = 1.0", "control[0].retrain", "missing: must be a name of the retrainings"),
    ],
)
def test_a_control_is_held_to_what_holds_for_retraining(
    problems: Problems, control: str, key: str, message: str
) -> None:
    found = {each.key: each.message for each in problems(study(M + f"[[control]]\n{control}"))}
    assert message in found.get(key, ""), found


# --- collapse ---

COLLAPSE = "\n[report]\ncollapse = true"


@pytest.mark.parametrize("arm", [M + 'structure = "channels"', END + 'rounds = "iterative"\nretrain = "lr-rewind"'])
def test_critical_compressions_need_an_arm_that_has_one(arm: str, problems: Problems, load_text: LoadText) -> None:
    (problem,) = problems(study(arm + COLLAPSE))
    assert problem.path == ("report", "collapse")
    assert "no arm has a critical compression" in problem.message
    assert "add an arm with structure" in (problem.hint or "")
    load_text(study(arm))
    load_text(study(M + COLLAPSE))
    load_text(study(f"{arm}\n[[prune]]\n{END}{COLLAPSE}"))
