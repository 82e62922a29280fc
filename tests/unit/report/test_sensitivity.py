"""The table of layers and rates, with what to paste."""

from __future__ import annotations

from prunectl.report import sensitivity
from unit.results.test_sensitivity import spared

FOUND = spared({"conv1": {0.5: 0.895, 0.8: 0.7}, "conv2": {0.5: None, 0.8: None}, "fc": {0.5: 0.9, 0.8: 0.892}})


def test_each_layer_is_a_row_with_what_it_spares() -> None:
    lines = sensitivity.text(FOUND).splitlines()
    assert "by magnitude (weights)" in lines[0] and lines[0].endswith("seed 1, dense 90.00 %")
    assert [line.split() for line in lines[2:6]] == [
        ["layer", "weights", "at", "50", "%", "at", "80", "%", "spares"],
        ["conv1", "100", "89.50", "70.00", "50", "%"],
        ["conv2", "100", "–", "–", "0", "%"],
        ["fc", "100", "90.00", "89.20", "80", "%"],
    ]
    assert "This is a heuristic: layers are pruned alone, and together they lose more." in lines[7]
    assert lines[8] == "conv2: it is tied"


def test_the_end_can_be_pasted() -> None:
    lines = sensitivity.text(FOUND).splitlines()
    assert lines[-2:] == [
        'scope = { name = "rates", per_layer = { conv1 = 0.5, fc = 0.8 } }', "# [sweep] sparsities = [0.433333]",
    ]  # fmt: skip
    page = sensitivity.markdown(FOUND)
    assert "```toml\nscope = {" in page and "| conv1 | 100 | 89.50 | 70.00 | 50 % |" in page


def test_where_nothing_can_be_spared_the_next_thing_to_try_is_named() -> None:
    text = sensitivity.text(spared({"conv1": {0.5: 0.1}}))
    assert text.endswith("No layer spares any of these rates: try lower ones with --rates, or a larger --margin.")
