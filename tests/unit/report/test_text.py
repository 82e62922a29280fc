"""The report on a terminal: what it shows, and that it fits."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report import text
from prunectl.results.claims import verdicts
from prunectl.results.table import SCHEMA, Results
from prunectl.study.selection import Selection
from unit.report import small

LEVELS = made_up.STUDY.replace(
    "sparsities = [0.0, 0.3, 0.6, 0.9, 0.98]", "levels = { rate = 0.2, count = 18 }"
).replace("at_sparsity = 0.98\n", "")


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up.results(seeds=3, epochs=2)


def of(results: Results, trials: pl.DataFrame) -> Results:
    """Results of a study without claims."""
    return replace(results, trials=trials, study=results.study.model_copy(update={"claim": ()}))


def below_the_answer(table: str) -> list[str]:
    """The lines from the table of accuracies on."""
    lines = table.splitlines()
    return lines[next(at for at, line in enumerate(lines) if line.startswith("Top-1 accuracy")) :]


def test_the_answer_comes_first(results: Results) -> None:
    lines = text.table(results, 80).splitlines()
    assert lines[:2] == ["VGG-16 pruned at initialization", ""]
    assert lines[2].split() == ["dense,", "top-1", "93.57", "%", "93.50", "to", "93.64"]
    answer = lines[2 : lines.index("", 2)]
    assert any(line.startswith("best at 30 → 98 % ") and "magnitude (at end · finetune)" in line for line in answer)
    assert any(line.startswith("within 1 point of dense ") and "up to 60 %" in line for line in answer)
    assert answer[-1].split() == ["claims", "✓", "1", "✗", "1", "?", "1", "supported,", "refuted,", "not", "settled"]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("study", [made_up.STUDY, LEVELS])
def test_it_fits(study: str, width: int) -> None:
    table = text.table(made_up.results(study, seeds=2, epochs=1), width)
    assert [line for line in table.splitlines() if len(line) > width] == []


def test_the_table_has_every_arm_and_the_plain_truth(results: Results) -> None:
    table = text.table(results, 120)
    for arm in results.trials["arm"].unique():
        assert arm in table
    mean = results.trials.filter((pl.col("arm") == "snip · at init") & (pl.col("sparsity") == 0.9))["top1"].to_list()
    assert f"{sum(mean) / 3 * 100:.2f}" in table
    assert "2 trials failed: the loss is not finite at step 12" in table
    assert "✗ refuted: Inverting does no harm" in table


def test_a_wide_terminal_shows_spreads_and_a_narrow_one_does_not(results: Results) -> None:
    wide = below_the_answer(text.table(of(results, small.swept()), 100))
    assert " ".join(each.strip() for each in wide[:2]) == (
        "Top-1 accuracy, %, mean of 3 seeds ± half the 80 % bootstrap interval of the mean "
        "(with 3 seeds it holds the true mean in 61 % of studies); * is highest"
    )
    wide = wide[1:]
    assert wide[1] == "dense: 90.00 ±0.00"
    assert wide[3].split() == ["50", "%", "90", "%", "matching"]
    assert wide[4].split() == [
        "magnitude",
        "·",
        "at",
        "init",
        "85.20",
        "±0.07*",
        "81.20",
        "±0.07*",
        "none",
        "(settled)",
    ]
    many = small.swept(sparsities=[0.5, 0.6, 0.7, 0.8, 0.9])
    narrow = below_the_answer(text.table(of(results, many), 60))
    assert narrow[0] == "Top-1 accuracy, %, mean of 3 seeds; * is highest"
    assert narrow[4].split()[-5:] == ["85.20*", "84.20*", "83.20*", "82.20*", "81.20*"]


def test_a_very_narrow_terminal_breaks_the_table_into_blocks(results: Results) -> None:
    many = small.swept(sparsities=[level / 10 for level in range(1, 10)])
    table = "\n".join(below_the_answer(text.table(of(results, many), 44))).split("\n\n")
    heads = [block.splitlines()[0].split() for block in table[1:] if "magnitude" in block]
    blocks = [[word for word in head if word != "%"] for head in heads if "%" in head]
    assert len(blocks) > 1
    assert [word for block in blocks for word in block] == [str(10 * level) for level in range(1, 10)]


def test_a_width_below_forty_is_taken_as_forty(results: Results) -> None:
    assert text.table(results, 10) == text.table(results, 40)


def test_names_of_arms_are_whole_above_their_numbers_where_these_need_the_room(results: Results) -> None:
    name = "a-criterion-with-a-very-long-name-that-does-not-fit"
    lines = text.table(of(results, small.swept([name])), 44).splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("a-criterion"))
    assert (lines[at] + lines[at + 1].strip()).startswith(f"{name} ")
    assert lines[at + 1].endswith("  matching none (settled)")
    assert lines[at + 2].split() == ["85.20", "±0.07*", "81.20", "±0.07*"]


@pytest.mark.parametrize(("width", "intervals"), [(40, False), (80, True)])
def test_no_name_is_cut_and_intervals_are_shown_where_they_fit(results: Results, width: int, intervals: bool) -> None:
    lines = text.table(results, width).splitlines()
    table = "\n".join(lines[: next(place for place, line in enumerate(lines) if "trials failed" in line)])
    assert all(f"\n{arm}" in table for arm in results.trials["arm"].unique()) and "…" not in table
    assert ("88.16 ±0.15" in table) is intervals and "88.16" in table
    assert "matching 60 % (30 % to 60 %)" in table, "of snip"


def test_a_terminal_with_too_little_room_for_matching_sparsities_leaves_them_out(results: Results) -> None:
    assert "matching" not in text.table(results, 100).partition("trials failed")[0]
    wide = text.table(results, 120).partition("trials failed")[0]
    assert "88.16 ±0.15  60 % (30 % to 60 %)" in wide and "Matching: the highest sparsity" in wide


def test_holes_are_counted(results: Results) -> None:
    holes = small.swept(seeds=[1, 2, 3, 4]).with_columns(top1=pl.when(pl.col("seed") < 4).then("top1"))
    table = text.table(of(results, holes), 100)
    assert "85.20 ±0.07 (3/4)*" in table
    two = small.swept().with_columns(top1=pl.when(pl.col("seed") < 3).then("top1"))
    assert "85.15 (2/3)*" in text.table(of(results, two), 100)
    lost = small.swept().with_columns(top1=pl.when(pl.col("criterion") != "snip").then("top1"))
    assert "–  " in text.table(of(results, lost), 100)


def test_the_most_frequent_reasons_come_first_and_at_most_five(results: Results) -> None:
    reasons = pl.concat(
        small.swept(["snip"], [0.5], range(count), status="failed", reason=f"reason {count}") for count in range(1, 8)
    )
    lines = [line for line in text.table(of(results, reasons), 100).splitlines() if "failed" in line]
    assert lines == [f"{count} trials failed: reason {count}" for count in (7, 6, 5, 4, 3)]


def test_a_count_that_is_not_known_has_its_reason_below(results: Results) -> None:
    unknown = small.swept(["snip"], [0.5], range(2), reason="flops is not known: it has an lstm")
    assert "2 trials done, but flops is not known: it has an lstm" in text.table(of(results, unknown), 100)


def test_one_seed_is_called_one_seed(results: Results) -> None:
    assert "Top-1 accuracy, %, one seed; * is highest" in text.table(of(results, small.swept(seeds=[1])), 100)


def test_the_plot_has_a_mark_per_unmodified_arm_the_best_at_the_top(results: Results) -> None:
    both = pl.concat([small.swept(), small.swept(ablation="shuffle")])
    lines = list(text.plot(of(results, both), 60))
    assert lines[0].startswith("  90.2 ┤") and "●■" in lines[0], "both begin at the dense network"
    assert lines[text.PLOT_ROWS - 1].endswith("■"), "snip at 90 %"
    assert lines[-2:] == ["● magnitude · at init", "■ snip · at init"]
    assert lines[-3].split() == ["0", "%", "50", "%", "90", "%"]


def test_the_plot_has_the_best_arms_and_counts_the_others(results: Results) -> None:
    """Sixteen arms, of which the last is the best at 90 %, and the second last at 50 %."""
    names = [f"arm {number:02}" for number in range(16)]
    last = {("arm 15", 0.9): 0.95, ("arm 14", 0.5): 0.95}
    trials = small.trials(
        *(
            {"arm": name, "criterion": name, "sparsity": sparsity, "top1": last.get((name, sparsity), 0.8 - at / 100)}
            for at, name in enumerate(names)
            for sparsity in (0.5, 0.9)
        )
    )
    lines = list(text.plot(of(results, trials), 80))
    legend = dict(zip([line[2:] for line in lines[-13:-1]], text.MARKS, strict=True))
    assert list(legend) == [*names[:10], "arm 14", "arm 15"]
    assert legend["arm 15"] in lines[0] and legend["arm 14"] in lines[0]
    assert lines[-1] == "and 4 more arms without a mark: the table has all arms"


def test_the_plot_has_no_range_for_arms_that_it_leaves_out(results: Results) -> None:
    names = [f"arm {number:02}" for number in range(13)]
    trials = small.trials(
        *(
            {"arm": name, "criterion": name, "sparsity": sparsity, "top1": 0.1 if name == "arm 12" else 0.8}
            for name in names
            for sparsity in (0.5, 0.9)
        )
    )
    lines = list(text.plot(of(results, trials), 80))
    assert "10.0" not in "".join(lines[: text.PLOT_ROWS]) and lines[-1].startswith("and 1 more arm ")
    assert "●■▲◆✚▼▶◀○□+" in lines[0] and lines[-2] == "+ more marks in the same place than fit"


@pytest.mark.parametrize("sparsities", [[0.5], [level / 100 for level in range(50)]])
def test_there_is_no_plot_of_one_sparsity_or_of_more_than_fit(results: Results, sparsities: list[float]) -> None:
    assert list(text.plot(of(results, small.swept(sparsities=sparsities)), 80)) == []


def test_verdicts_have_their_reason_below(results: Results) -> None:
    lines = text.verdicts(verdicts(results), 60).splitlines()
    assert len([line for line in lines if line[0] in "✓✗?"]) == 3
    assert all(line.startswith("    ") for line in lines if line[0] not in "✓✗?")
    assert text.verdicts((), 60) == ""


def test_control_characters_do_not_come_from_here(results: Results) -> None:
    assert all(char == "\n" or char.isprintable() for char in text.table(results, 80))


def test_a_study_without_trials_or_results_has_a_report(results: Results) -> None:
    assert text.table(replace(results, trials=pl.DataFrame(schema=SCHEMA)), 80) == "The study asks for no trial."
    missing = results.trials.with_columns(
        pl.lit(None, pl.Float64).alias("top1"), pl.lit(None, pl.Float64).alias("top1_dense"),
        pl.lit("missing").alias("status"), pl.lit(None, pl.String).alias("reason"),
    )  # fmt: skip
    assert "270 trials missing" in text.table(replace(results, trials=missing), 80)


def test_arms_that_differ_only_at_their_ends_keep_different_names(results: Results) -> None:
    """At 80 columns two ways of retraining had the same name in the table."""
    arms = ["magnitude · at end · layerwise · iterative · weight-rewind" + end for end in ("", "(to=epoch 1)")]
    named = dict(zip(results.trials["arm"].unique(maintain_order=True), arms, strict=False))
    trials = results.trials.filter(pl.col("arm").is_in(list(named))).with_columns(pl.col("arm").replace(named))
    table = text.table(of(results, trials), 60)
    assert "weight-rewind" in table and "weight-rewind(to=epoch" in table.replace("\n ", "")
    levels = small.swept(sparsities=[level / 100 for level in range(50, 70)])
    named = dict(zip(levels["arm"].unique(maintain_order=True), arms, strict=True))
    rows = text.table(of(results, levels.with_columns(pl.col("arm").replace(named))), 120).splitlines()
    names = {row.split("  ")[0] for row in rows if row.startswith("magnitude")}
    assert len(names) == 2 and any("(to=epoch 1)" in name for name in names)


def test_it_shows_what_it_is_restricted_to(results: Results) -> None:
    part = replace(
        results, selection=Selection(profile="quick", only=("criterion=snip",)), overridden=[("model", "name")]
    )
    assert text.table(part, 100).startswith(
        "vgg16 on cifar10: the quick profile of “VGG-16 pruned at initialization”\n"
        "Run with --profile quick --only criterion=snip\n\ndense, top-1"
    )
    assert "Restricted" not in text.table(results, 100)


def test_a_baseline_that_failed_is_shown(results: Results) -> None:
    trials = results.trials.filter(pl.col("status") == "done").head(3)
    lacking = trials.with_columns(reason=pl.lit("the dense baseline failed: killed"), top1_dense=None)
    assert "3 trials done, but the dense baseline failed: killed" in text.table(of(results, lacking), 100)


def test_claims_that_a_selection_leaves_no_trials_for_are_not_asked(results: Results) -> None:
    only_synflow = results.trials.filter(pl.col("criterion") == "synflow")
    part = replace(results, trials=only_synflow, selection=Selection(only=("criterion=synflow",)))
    printed = text.table(part, 200)
    assert "– not asked: Inverting does no harm\n    The selection leaves no trials for it" in printed
    assert "not settled" not in printed and "Supported:" not in printed, "no claim is judged"
    whole = text.table(replace(part, selection=Selection()), 200)
    assert "? not settled: Inverting does no harm" in whole, "trials that a study lacks are another matter"


def test_of_matching_sparsities_only_the_signs_that_are_shown_are_explained(results: Results) -> None:
    """With two seeds brackets and "settled" were explained that no cell had."""
    few = text.table(of(results, small.swept(seeds=[1, 2])), 120).partition("Matching:")[2]
    explained = " ".join(few.partition("\n\n")[0].split())
    assert explained.endswith("below the dense network.") and "bracket" not in explained
    several = " ".join(text.table(results, 120).partition("Matching:")[2].partition("\n\n")[0].split())
    assert "in brackets what is proved and what is not excluded" in several and "(settled: the same)." in several
