"""Bad input: a short message that says what, where and what to do; exit 2; nothing lost, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import TINY, Ran, prunectl, write_study

BAD = {
    "not TOML": ("name = \n", "study.toml:1:8"),
    "too large": ("# " + "x" * 300_000, "256"),
    "nested too deep": ("a = " + "[" * 10_000, ""),
    "an endless integer": (TINY + "\n[extra]\nn = " + "9" * 5_000, ""),
    "NaN": (TINY.replace("lr = 0.05", "lr = nan"), "lr"),
    "an unknown key": (TINY.replace("batch_size", "batchsize"), "batch_size"),
    "a wrong type": (TINY.replace("epochs = 2", 'epochs = "two"'), "epochs"),
    "a sparsity of 1.5": (TINY.replace("0.9]", "1.5]"), "1.5"),
    "duplicated seeds": (TINY.replace("seeds = [1, 2]", "seeds = [1, 1]"), "seeds"),
    "no arm": (TINY.partition("[[prune]]")[0], "[[prune]]"),
    "a misspelt criterion": (TINY.replace('"magnitude"', '"magnitud"'), "magnitude"),
    "an impossible combination": (
        TINY.replace('criterion = "magnitude"', 'criterion = "magnitude"\nretrain = "weight-rewind"'),
        "weight-rewind",
    ),
    "a network too large for the images": (TINY.replace("tiny-cnn", "vgg16"), "pixels"),
    "a name that climbs": (TINY.replace('name = "tiny"', 'name = "../../x"'), "name"),
    "a criterion that is not built": (TINY.replace('"magnitude"', '"optimal-brain-surgeon"'), "snip"),
    "not UTF-8": ("name = '\udcff'", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_studies_are_refused_in_words(case: str, tmp_path: Path) -> None:
    text, expected = BAD[case]
    path = tmp_path / "study.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    said = prunectl("run", path, store=tmp_path / "store")
    refused(said)
    assert expected in said.err
    assert not (tmp_path / "results").exists()


def test_every_problem_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = TINY.replace("lr = 0.05", "lr = -1.0").replace("0.9]", "1.5]").replace("epochs = 2", "epoch = 2")
    said = prunectl("plan", write_study(tmp_path, text), store=tmp_path / "store")
    refused(said)
    for place in ("study.toml:9:", "study.toml:11:", "study.toml:13:"):
        assert place in said.err, said.err


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("missing.toml", "missing.toml"), (".", "directory"), ("/dev/null", "name")],
)
def test_what_is_no_study_file_is_refused(argument: str, expected: str, tmp_path: Path) -> None:
    said = prunectl("run", argument, store=tmp_path / "store")
    refused(said)
    assert expected in said.err


def test_overrides_are_checked_like_the_file(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    refused(said := prunectl("plan", study, "--set", "train.epoch=3", store=tmp_path / "store"))
    assert "--set train.epoch=3" in said.err and "epochs" in said.err
    refused(prunectl("plan", study, "--set", "train.epochs", store=tmp_path / "store"))
    refused(said := prunectl("plan", study, "--only", "criterion=snap", store=tmp_path / "store"))
    assert "snip" in said.err
    refused(said := prunectl("plan", study, "--profile", "quick", store=tmp_path / "store"))


def test_a_hostile_title_is_inert_on_the_terminal(tmp_path: Path) -> None:
    text = TINY.replace('name = "tiny"', 'name = "tiny"\ntitle = "\\u001b[2J</script><script>alert(1)</script>\\u202e"')
    study = write_study(tmp_path, text)
    said = prunectl("run", study, "--only", "criterion=magnitude,sparsity=0", store=tmp_path / "store")
    assert said.code == 0, said.err
    assert "\x1b" not in said.out + said.err and "\u202e" not in said.out + said.err
    page = (tmp_path / "results" / "tiny+criterion=magnitude,sparsity=0" / "report.html").read_text()
    assert "<script>alert(1)" not in page


def test_missing_data_say_how_to_get_them(tmp_path: Path) -> None:
    text = TINY.replace('"digits"', '"mnist"')
    said = prunectl("run", write_study(tmp_path, text), store=tmp_path / "store")
    refused(said)
    assert "--data" in said.err and "PRUNECTL_DATA" in said.err and str(tmp_path) in said.err


def test_a_truncated_data_file_is_named(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"\0\0\x08\x03" + b"\0" * 60)
    said = prunectl("run", write_study(tmp_path, TINY.replace('"digits"', '"mnist"')), store=tmp_path / "store")
    refused(said)
    assert "idx3-ubyte" in said.err or "idx1-ubyte" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "criterions"],
        ["report", "STUDY", "--format", "pdf"],
        ["compare", "STUDY", "nothing.csv"],
        ["cache", "show", "zz"],
        ["run", "STUDY", "--device", "tpu"],
        ["run", "STUDY", "--executor", "slurm"],
        ["run", "STUDY", "--jobs", "0"],
        ["nonsense"],
    ],
)
def test_bad_command_lines_are_refused_in_words(arguments: list[str], tmp_path: Path) -> None:
    study = write_study(tmp_path)
    refused(prunectl(*(str(study) if word == "STUDY" else word for word in arguments), store=tmp_path / "store"))


def refused(said: Ran) -> None:
    """Exit 2, a few lines, no traceback, nothing raw."""
    assert said.code == 2, (said.code, said.out, said.err)
    assert "Traceback" not in said.err
    assert 0 < len(said.err) < 3000
    assert "\x1b" not in said.err
