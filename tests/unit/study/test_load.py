"""Files that are no study, problems with their places, profiles and overrides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli

from prunectl.base.errors import StudyError
from prunectl.study.load import load

if TYPE_CHECKING:
    from unit.study.conftest import LoadText, Problems


def refused(path: Path) -> StudyError:
    with pytest.raises(StudyError) as caught:
        load(path)
    return caught.value


def test_a_study_is_read_with_its_text_and_path(good: str, load_text: LoadText) -> None:
    loaded = load_text(good)
    assert loaded.study.name == "first"
    assert loaded.text == good
    assert loaded.path.name == "study.toml"


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(good: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + good.replace("\n", "\r\n").encode())
    assert load(path).text == good


# --- what is no study file ---


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "smoke.toml").write_text("")
    error = refused(tmp_path / "smok.toml")
    assert "does not exist" in error.message
    assert error.hint is not None
    assert "smoke.toml" in error.hint


def test_a_missing_directory_is_a_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none" / "x.toml").message


def test_a_directory_names_its_studies(tmp_path: Path) -> None:
    (tmp_path / "smoke.toml").write_text("")
    error = refused(tmp_path)
    assert "is a directory" in error.message
    assert error.hint == "name one of its files: smoke.toml"


def test_a_file_below_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert "cannot be read" in refused(tmp_path / "a" / "b.toml").message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_says_why(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("")
    path.chmod(0)
    assert "Permission denied" in refused(path).message


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    assert refused(tmp_path / "a\0b.toml").message.isprintable()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 1\n" * 50_000, "more than 256 kB"),
        (b"a = 1\nb = \xff\xfe", "is not text in UTF-8"),
        ("name = 1".encode("utf-16"), "is not text in UTF-8"),
    ],
)
def test_what_is_no_text_of_a_study_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert message in refused(path).message


def test_a_byte_that_is_not_utf8_is_located(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes("ü = 1\nbé = '".encode() + b"\xff'")
    assert refused(path).problems[0].where == f"{path}:2:7"


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a = 1\nb = [1,\n  2 x]\n", "unclosed array", ":3:5"),
        ("a = 1\na = 2\n", "overwrite", ":2:6"),
        ("[[[[" * 10_000, "", ""),
        ("a = " + "[" * 10_000, "nested too deeply", ""),
        ("a = " + "[" * 40 + "]" * 40, "nested too deeply", ""),
        ("a" + ".a" * 20_000 + " = 1", "nested too deeply", ""),
        ("a = " + "1" * 5_000, "too many digits", ""),
        ("a = '\x1b[31m'", "character", ":1:"),
    ],
)
def test_what_is_not_toml_is_refused_at_its_place(problems: Problems, text: str, message: str, place: str) -> None:
    (problem,) = problems(text)
    assert message in problem.message
    assert (problem.where or "").startswith(f"study.toml{place}")
    assert problem.message.isprintable()


# --- problems with their places ---


def test_all_problems_are_told_at_once_in_the_order_of_the_file(good: str, problems: Problems) -> None:
    text = good.replace("lr = 0.05", "lr = -1").replace('"digits"', '"digit"').replace("0.5, 0.9", "1.5, 0.9")
    text = text.replace('at = "end"\n', 'at = "init"\n', 1)
    text = text.replace('better = { criterion = "snip"', 'better = { criterion = "snap"')
    found = [(each.where, each.key) for each in problems(text)]
    assert found == [
        ("study.toml:5:1", "data.name"),
        ("study.toml:16:1", "train.lr"),
        ("study.toml:20:18", "sweep.sparsities[1]"),
        ("study.toml:27:3", "prune[1]"),
        ("study.toml:33:5", "prune[1].retrain[1]"),
        ("study.toml:34:5", "prune[1].retrain[2]"),
        ("study.toml:35:5", "prune[1].retrain[3]"),
        ("study.toml:43:12", "claim[0].better.criterion"),
    ]


def test_many_problems_are_counted_and_the_first_told(good: str, load_text: LoadText) -> None:
    sparsities = ", ".join(["7"] * 150)
    with pytest.raises(StudyError, match=r"150 problems, the first 50") as caught:
        load_text(good.replace("0, 0.5, 0.9", sparsities))
    assert len(caught.value.problems) == 50


def test_one_problem_is_one(good: str, load_text: LoadText) -> None:
    with pytest.raises(StudyError, match=r": 1 problem\n"):
        load_text(good.replace("lr = 0.05", "lr = 0"))


@pytest.mark.parametrize(
    ("old", "new", "where", "message", "hint"),
    [
        ("epochs = 10", "epoch = 10", "15:1", "unknown key; allowed here: epochs, steps", 'did you mean "epochs"?'),
        ("epochs = 10", "epochs = 10\nsteps = 5", "16:1", "cannot be combined with epochs", None),
        ("epochs = 10\n", "", "14:2", "one of the keys epochs, steps must be given", None),
        ("epochs = 10", 'epochs = "10"', "15:1", 'not "10"', "write numbers without quotes"),
        ("epochs = 10", "epochs = true", "15:1", "must be a whole number, at least 1", None),
        ("lr = 0.05", "lr = nan", "16:1", "more than 0 and at most 1000, not nan", None),
        ("lr = 0.05", "lr = inf", "16:1", "not inf", None),
        ("seeds = 2", "seeds = [1, 2, 1]", "21:16", "1 is in the list twice", None),
        ("seeds = 2", "seeds = 0", "21:1", "at least 1 and at most 10000, not 0", None),
        ("0, 0.5, 0.9", "0, 0.5, 0.5", "20:23", "0.5 is in the list twice", None),
        ("0, 0.5, 0.9", "0, 1.5", "20:18", "at least 0 and less than 1, not 1.5", None),
        ("0, 0.5, 0.9", "", "20:1", "not an empty list", None),
        ('name = "first"', 'name = "../../x"', "1:1", "small letters, digits and hyphens", None),
        ('name = "first"', "name = 2020-01-01", "1:1", "not the date 2020-01-01", None),
        ('title = "A first study"', "title = [1]", "2:1", "must be text, not a list", None),
        ('"snip", samples', '"snpi", samples', "24:29", "there are magnitude, snip, synflow", 'did you mean "snip"?'),
        ("samples_per_class = 5", "samples_per_clas = 5", "24:44", "unknown key", 'did you mean "samples_per_class"?'),
        ("samples_per_class = 5", "samples_per_class = 0", "24:44", "a whole number, at least 1, not 0", None),
        ('"synflow"]', "3]", "24:69", "must be the name of a criterion, or a table with a name, not 3", None),
        ("width = 0.5", "widht = 0.5", "11:1", "here: width, pool, name, init, bn_init", 'did you mean "width"?'),
        ("width = 0.5", 'pool = "mx"', "11:1", 'one of "max", "average" or a whole number', 'did you mean "max"?'),
        ('name = "vgg16"', 'name = "broken"', "10:1", "cannot be imported", None),
        ('name = "vgg16"\n', "", "9:2", "missing: must be the name of a model: vgg16, mlp", None),
        ("[data]", "[dat]", "1:1", "missing: must be a table", None),
        ('at = "end"', 'at = "ned"', "29:1", "{ epoch = N }", 'did you mean "end"?'),
        ("{ epoch = 2 }", "{ epch = 2 }", "34:38", "allowed here: epoch, step", 'did you mean "epoch"?'),
        ("{ epoch = 2 }", "{ epoch = 2, step = 3 }", "34:49", "cannot be combined with epoch", None),
        ("{ epoch = 2 }", "3", "34:31", "must be one of", None),
        ("lr = 0.002", "lrr = 0.002", "33:26", "allowed here: lr, epochs, steps, batch_size,", 'did you mean "lr"?'),
        ("lr = 0.002", 'lr = "0.002"', "33:26", 'not "0.002"', "write numbers without quotes"),
        ('"finetune"', '"finetone"', "33:7", "there is no kind of retraining", 'did you mean "finetune"?'),
        ('    "weight-rewind",\n', "    3,\n", "35:5", "the name of a kind of retraining, or a table", None),
        ('    "weight-rewind",\n', "    { to = 'init' },\n", "35:5", "missing: must be the name of a kind of", None),
        ('    "weight-rewind",\n', "    'wait-rewind',\n", "35:5", "there are none,", 'did you mean "weight-rewind"?'),
        ('["head", "conv.*"]', '["head", ""]', "39:20", "", None),
        ("margin = -0.005", "margin = -5", "45:1", "at least -1 and at most 1, not -5", None),
        ('tables = ["comp', 'tabels = ["comp', "53:1", "unknown key", 'did you mean "tables"?'),
    ],
)  # fmt: skip
def test_a_problem_says_what_is_allowed_and_where(
    good: str, problems: Problems, old: str, new: str, where: str, message: str, hint: str | None
) -> None:
    assert old in good
    found = problems(good.replace(old, new, 1))
    (problem,) = [each for each in found if each.where == f"study.toml:{where}"]
    assert message in problem.message
    assert hint is None or problem.hint == hint


def test_a_misspelt_name_still_has_its_parameters_checked(good: str, problems: Problems) -> None:
    found = problems(good.replace('name = "vgg16"\nwidth', 'name = "vgg17"\nwith'))
    assert [(each.key, each.hint) for each in found] == [
        ("model.name", 'did you mean "vgg16"?'),
        ("model.with", 'did you mean "width"?'),
    ]


def test_a_misspelt_kind_of_rounds_still_has_its_keys_checked(good: str, problems: Problems) -> None:
    rounds = 'at = "end"\nrounds = { name = "exponental", rate = 0.2 }'
    found = {each.key: each for each in problems(good.replace('at = "end"', rounds))}
    assert found["prune[1].rounds.name"].hint == 'did you mean "exponential"?'
    assert found["prune[1].rounds.count"].message.startswith("missing: must be a whole number")
    assert "unknown key; allowed here: count" in found["prune[1].rounds.rate"].message


@pytest.mark.parametrize("key", ["kind", "type", "optimiser"])
def test_a_name_under_another_key_is_an_unknown_key(key: str, good: str, problems: Problems) -> None:
    found = problems(good, f'train.optimizer={{ {key} = "sgd", momentun = 0.9 }}')
    assert {(problem.key, problem.hint) for problem in found} == {
        (f"train.optimizer.{key}", 'did you mean "name"?'),
        ("train.optimizer.momentun", 'did you mean "momentum"?'),
    }


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("train.momentum=0.9", 'optimizer = { name = "sgd", momentum = 0.9 }'),
        ("train.nesterov=true", 'optimizer = { name = "sgd", nesterov = true }'),
        ("prune.0.rewind_to=2", 'retrain = { name = "weight-rewind", to = { epoch = 2 } }'),
        ("prune.0.finetune=true", 'retrain = "finetune"'),
    ],
)
def test_a_key_that_is_elsewhere_says_where(option: str, hint: str, good: str, problems: Problems) -> None:
    (problem,) = problems(good, option)
    assert problem.message.startswith("unknown key") and problem.hint == f"write {hint}"


def test_no_arm_is_one_problem(good: str, problems: Problems) -> None:
    text = good[: good.index("[[prune]]")] + good[good.index("[prunable]") :]
    (problem,) = problems(text)
    assert (problem.key, problem.message) == ("prune", "there is no arm: give at least one [[prune]] table")


def test_control_characters_are_kept_in_data_and_escaped_in_messages(
    good: str, problems: Problems, load_text: LoadText
) -> None:
    title = r'title = "\u001b[31m</script>\u202e"'
    assert load_text(good.replace('title = "A first study"', title)).study.title == "\x1b[31m</script>\u202e"
    (problem,) = problems(good.replace('name = "first"', r'name = "\u001b[31m\u202e' + "x" * 500 + '"'))
    assert problem.message.isprintable()
    assert len(problem.message) < 200
    (problem,) = problems(good.replace("lr = 0.05", r'"\u001b[31mlr" = 0.05'))
    assert problem.key.isprintable()


# --- overrides ---


@pytest.mark.parametrize(
    ("option", "attribute", "value"),
    [
        ("train.epochs=20", "study.train.epochs", 20),
        ("model.init=xavier-normal", "study.model.init", "xavier-normal"),
        ('prune[1].at="end"', "study.prune[1].at", ("end",)),
        ("prune.1.ablation=invert", "study.prune[1].ablation[0].name", "invert"),
        ("prune.0.criterion[0].name=magnitude", "study.prune[0].criterion[0].name", None),
        ("sweep.seeds=[7,8]", "study.sweep.seeds", (7, 8)),
        ("sweep.sparsities=0.25", "study.sweep.sparsities", (0.25,)),
        ("train.schedule.warmup=2", "study.train.schedule.warmup", 2),
        ("title=a = b # c", "study.title", "a = b # c"),
        ("title=", "study.title", ""),
        ("data.root=/a b", "study.data.root", "/a b"),
        ("train.steps=500", "(study.train.steps, study.train.epochs)", (500, None)),
        ("sweep.compression=[1,4]", "study.sweep.asked", (0.0, 0.75)),
        ("prune[1].retrain[2].to.epoch=5", "study.prune[1].retrain[2].to.epoch", 5),
        ("prune[1].retrain[2].to.step=5", "(study.prune[1].retrain[2].to.step, study.prune[1].retrain[2].to.epoch)",
         (5, None)),
        ("prune[1].retrain[1].schedule=cosine", "study.prune[1].retrain[1].schedule.name", "cosine"),
    ],
)  # fmt: skip
def test_an_override_sets_its_key(good: str, load_text: LoadText, option: str, attribute: str, value: object) -> None:
    if "criterion[0].name" in option:
        good = good.replace('["magnitude", {', '[{ name = "synflow" }, {').replace(', "synflow"]', "]")
        value = "magnitude"
    good = good.replace("at_sparsity = 0.9\n", "")
    assert eval(attribute, {"study": load_text(good, option).study}) == value


@pytest.mark.parametrize(
    ("option", "key", "message", "hint"),
    [
        ("train.epoch=2", "train.epoch", "unknown key", 'did you mean "epochs"?'),
        ("train.epochs=0", "train.epochs", "at least 1", None),
        ("train.epochs=x y", "train.epochs", 'not "x y"', None),
        ("train.epochs=" + "1" * 5000, "train.epochs", "must be a whole number", None),
        ("trian.epochs=2", "trian", "unknown key", 'did you mean "train"?'),
        ("prune[5].at=end", "prune[5]", "prune is a list of 2", "write prune[0] to prune[1]"),
        ("prune.at=end", "prune.at", "prune is a list of 2", "write prune[0] to prune[1]"),
        ("train.lr.x=1", "train.lr.x", "train.lr is 0.05, not a table or list", None),
        ("train[0]=1", "train[0]", "train is a table, not a list", None),
        ("profile.quick.x=1", "profile.quick.x", "a profile cannot be changed", None),
        ("train.epochs", "", "written key=value", "for example: --set train.epochs=2"),
        ("=2", "", "written key=value", None),
        ("train..epochs=2", "", '"train..epochs" is no key', "keys look like train.epochs or prune[0].at"),
        ("[0]=2", "", "is no key", None),
        ("a." * 400 + "b=1", "", "is no key of a study", None),
        ("title=\udcff", "", "UTF-8", None),
        ("x=" + "[" * 100 + "]" * 100, "", "nested too deeply", None),
    ],
)
def test_a_wrong_override_is_located_at_itself(
    good: str, problems: Problems, option: str, key: str, message: str, hint: str | None
) -> None:
    (problem,) = problems(good, option)
    assert problem.key == key
    assert message in problem.message
    assert hint is None or problem.hint == hint
    assert problem.where is not None
    assert problem.where.startswith("--set ")
    assert len(problem.where) < 250


def test_problems_of_the_file_and_of_options_are_told_together(good: str, problems: Problems) -> None:
    found = problems(good.replace("lr = 0.05", "lr = 0"), "train.epoch=2", "nonsense")
    assert [each.where for each in found] == ["study.toml:16:1", "--set nonsense", "--set train.epoch=2"]


def test_two_options_that_exclude_each_other_are_refused(good: str, problems: Problems) -> None:
    (problem,) = problems(good, "train.steps=100", "train.epochs=2")
    assert problem.message == "cannot be combined with epochs; keep one of them"


def test_a_wrong_value_is_mended_by_an_override(good: str, load_text: LoadText) -> None:
    assert load_text(good.replace("lr = 0.05", "lr = 0"), "train.lr=0.5").study.train.lr == 0.5


def test_a_shorter_training_may_miss_its_milestones_but_a_file_may_not(
    good: str, load_text: LoadText, problems: Problems
) -> None:
    assert load_text(good, "train.epochs=4").study.train.epochs == 4
    (problem,) = problems(good.replace("epochs = 10", "epochs = 8", 1))
    assert problem.key == "train.schedule.milestones[1]"
    assert problem.where == "study.toml:17:46"


def test_the_text_ends_with_a_comment_per_override(good: str, load_text: LoadText) -> None:
    loaded = load_text(good, "train.lr=0.5", 'title=a\nname = "b"', profile="quick")
    assert loaded.text.startswith(good)
    assert loaded.text.removeprefix(good).split("\n") == [
        "",
        "# changed for this run by",
        "# --profile quick",
        "# --set train.lr=0.5",
        '# --set title=a\\nname = "b"',
        "",
    ]
    assert tomli.loads(loaded.text) == tomli.loads(good)


RESNET = """\
name = "resnet"
[data]
name = "digits"
[model]
name = "resnet-20"
shortcut = "projection"
bn_momentum = 0.003
init = "orthogonal"
[train]
epochs = 2
[sweep]
sparsities = [0, 0.5]
[[prune]]
criterion = "magnitude"
"""


@pytest.mark.usefixtures("real_catalogs")
def test_another_network_takes_the_parameters_of_the_earlier_away(load_text: LoadText) -> None:
    changed = load_text(RESNET, "model.name=tiny-cnn").study.model
    assert (changed.model.written(), changed.init) == ("tiny-cnn", "orthogonal")
    kept = load_text(RESNET, "model.name=wrn-16-8").study.model.model
    assert kept.written() == {"name": "wrn-16-8", "bn_momentum": 0.003}, "which both have"
    same = load_text(RESNET, "model.name=resnet-20").study
    assert same == load_text(RESNET).study


@pytest.mark.usefixtures("real_catalogs")
def test_other_keys_next_to_the_network_are_still_checked(problems: Problems) -> None:
    (problem,) = problems(RESNET, "model.shortcut=projection", "model.name=tiny-cnn")
    assert (problem.key, problem.where) == ("model.shortcut", "--set model.shortcut=projection")
    (problem,) = problems(RESNET.replace("shortcut", "shortct"), "model.name=tiny-cnn")
    assert problem.key == "model.shortct", "a mistake is not taken away with the parameters"
    (problem,) = problems(RESNET, "model.name=tiny-cn")
    assert problem.key == "model.name"


# --- profiles ---


def test_a_profile_overrides_before_the_options(good: str, load_text: LoadText) -> None:
    study = load_text(good, "train.epochs=4", profile="quick").study
    assert (study.train.epochs, study.data.train_limit) == (4, 100)
    study = load_text(good, profile="quick").study
    assert (study.train.epochs, study.train.lr) == (3, 0.05)


@pytest.mark.parametrize(("name", "hint"), [("quik", 'did you mean "quick"?'), ("\x1b[31m", None)])
def test_an_unknown_profile_names_the_nearest(good: str, problems: Problems, name: str, hint: str | None) -> None:
    (problem,) = problems(good, profile=name)
    assert "its profiles are quick" in problem.message
    assert problem.message.isprintable()
    assert problem.hint == hint


def test_a_study_without_profiles_says_so(good: str, problems: Problems) -> None:
    text = good.replace('[profile.quick]\n"train.epochs" = 3\ndata.train_limit = 100\n', "")
    assert "it has none" in problems(text, profile="quick")[0].message


def test_a_problem_of_a_profile_is_located_in_it(good: str, problems: Problems) -> None:
    text = good.replace('"train.epochs" = 3', '"train.epoch" = 3')
    (chosen,) = problems(text, profile="quick")
    assert (chosen.key, chosen.where, chosen.hint) == ("train.epoch", "study.toml:49:1", 'did you mean "epochs"?')
    (other,) = problems(text)
    assert other.where == chosen.where
    assert other.message.endswith("(with --profile quick)")


def test_what_a_profile_makes_impossible_is_told_though_it_is_not_chosen(good: str, problems: Problems) -> None:
    (problem,) = problems(good.replace('"train.epochs" = 3', '"train.epochs" = 1'))
    assert problem.key == "prune[1].retrain[2].to.epoch"
    assert problem.message.endswith("which has 1 epochs (with --profile quick)")


# --- floors ---


def test_loading_imports_neither_torch_nor_polars() -> None:
    code = "import prunectl.study.load, prunectl.study.jsonschema, sys; print({'torch', 'polars'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
