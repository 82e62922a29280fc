"""A criterion judged against the others of its study: what the trials answer about it, question by question.

The verdicts on claims are in `claims.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import and_list, percent, plural, points
from prunectl.results.ablations import ordered, verb
from prunectl.results.aggregate import ablation_pairs, pruned
from prunectl.results.chance import all_guess
from prunectl.results.pairing import groups, pair
from prunectl.results.published.against import TOLERANCE
from prunectl.results.published.index import ATLAS
from prunectl.results.published.load import load
from prunectl.results.statistics import FEWEST, Interval, mean, paired, t_interval
from prunectl.results.table import Results, Task
from prunectl.results.wording import in_words

FEW_TIES = 0.001
"""The share of the weights that may be tied at the cut without a word: a draw decides which of them go."""

LEVEL = 0.95
"""Of each interval, seed by seed. With many of them, some exclude 0 by chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One question about a criterion, the answer in a word or two, and the numbers behind it."""

    question: str
    answer: str
    evidence: str


def findings(results: Results) -> tuple[Finding, ...]:
    """What the trials that are done answer about the criterion that [report] `judged` names; nothing without one."""
    judged = results.study.report.judged
    if not judged:
        return ()
    done = pruned(results.trials).filter((pl.col("status") == "done") & (pl.col("sparsity") > 0))
    named = done.with_columns(in_words(done, "criterion").alias("_criterion"))
    own = named.filter(pl.col("_criterion") == judged)
    if own.is_empty():
        return ()
    return (
        _exact(own),
        _tied(own),
        _whole(own),
        *_critical(named, judged),
        *_on_paths(own),
        *_ablated(own, results.task),
        *_ranked(named, judged, results.task),
        *_in_atlas(own, judged, results.study.published.tables, results.task),
        *_cost(named, judged),
    )


def _exact(own: pl.DataFrame) -> Finding:
    """Masks are cut at a number of weights: whatever differs by one or more is not rounding."""
    plain = own.filter(pl.col("sparsity_of") == "prunable")
    cells = plain.select("sparsity_actual", "sparsity", "n_prunable").iter_rows()
    off = max((abs(actual - asked) * weights for actual, asked, weights in cells), default=0.0)
    evidence = f"in {plural(plain.height, 'trial')}, at most {off:.1f} weights from what was asked for"
    return Finding(question="Do its masks have the sparsity asked for?", answer=_yes(off <= 1), evidence=evidence)


def _tied(own: pl.DataFrame) -> Finding:
    """Scores that agree at the cut leave the choice to a draw."""
    known = own.filter(pl.col("n_tied").is_not_null() & (pl.col("ablation") == "none"))
    shares = known.with_columns((pl.col("n_tied") / pl.col("n_prunable")).alias("share")).sort("share", descending=True)
    question = "Do its scores distinguish weights?"
    if shares.is_empty():
        return Finding(question=question, answer="not known", evidence="no mask was made at once")
    worst = shares.row(0, named=True)
    evidence = (
        f"at most {plural(worst['n_tied'], 'weight')} of {worst['n_prunable']:,} tied at the cut "
        f"({percent(worst['sparsity'])} sparsity): a draw decides which of them go"
    )
    return Finding(question=question, answer=_yes(worst["share"] <= FEW_TIES), evidence=evidence)


def _whole(own: pl.DataFrame) -> Finding:
    plain = own.filter(pl.col("ablation") == "none")
    empty = plain.filter(pl.col("layers_collapsed").list.len() > 0)
    lowest = "" if empty.is_empty() else f", from {percent(min(empty['sparsity'].to_list()))} sparsity on"
    return Finding(
        question="Does every layer keep weights?",
        answer=_yes(empty.is_empty()),
        evidence=f"a layer is empty in {empty.height} of {plural(plain.height, 'trial')}{lowest}",
    )


def _critical(named: pl.DataFrame, judged: str) -> Iterator[Finding]:
    """The order of Tanaka et al. (2020), Section 3.6: the higher, the later a layer is empty."""
    known = named.filter(pl.col("critical_compression").is_not_null())
    of = known.group_by("_criterion", maintain_order=True).agg(pl.col("critical_compression").median()).rows()
    reached = dict(of)
    if judged in reached:
        ranked = sorted(reached, key=lambda name: -reached[name])
        listed = and_list([f"{name} {reached[name]:,.0f}" for name in ranked])
        place = f" ({_place(ranked.index(judged) + 1)} of {len(ranked)})" if len(ranked) > 1 else ""
        yield Finding(
            question="Up to which compression does no layer collapse?",
            answer=f"{reached[judged]:,.0f}{place}",
            evidence=f"medians over the seeds: {listed}; at most {max(known['max_compression'].to_list()):,.0f}",
        )


def _on_paths(own: pl.DataFrame) -> Iterator[Finding]:
    known = own.filter(pl.col("n_effective").is_not_null() & (pl.col("ablation") == "none"))
    if not known.is_empty():
        worst = (
            known.with_columns((pl.col("n_effective") / pl.col("n_nonzero")).alias("share"))
            .sort("share")
            .row(0, named=True)
        )
        yield Finding(
            question="Do the weights that stay lie on a path from input to output?",
            answer=_yes(worst["share"] >= 1),
            evidence=f"at least {percent(worst['share'])} of them, at {percent(worst['sparsity'])} sparsity",
        )


def _ablated(own: pl.DataFrame, task: Task) -> Iterator[Finding]:
    """Frankle et al. (2021), Section 5: what a mask is made of. The same networks, with one thing taken away."""
    pairs = ablation_pairs(own)
    for ablation in ordered(pairs["ablation"].to_list()):
        cells, shown = [], []
        for (sparsity,), cell in groups(pairs.filter(pl.col("ablation") == ablation), ["sparsity"]):
            value, interval = _difference(cell["difference"].to_list())
            guess = [name for name, column in ((verb(ablation), "top1"), ("unmodified", "top1_other"))
                     if all_guess(cell, task, column)]  # fmt: skip
            cells.append((sparsity, None if len(guess) == 2 else interval))
            shown.append(f"{percent(sparsity)}: {_spread(value, interval)}{_at_chance(guess)}")
        yield Finding(
            question=f"Is it worse {verb(ablation)}?",
            answer=_worse(cells),
            evidence="; ".join(shown),
        )


def _at_chance(guess: Sequence[str]) -> str:
    """Which of two sides is at chance; where both are, their difference shows nothing."""
    return f", {'both' if len(guess) == 2 else guess[0]} at chance" if guess else ""


def _worse(cells: list[tuple[float, Interval | None]]) -> str:
    """Where the intervals of the differences exclude 0, and on which side. None: nothing is settled."""
    worse = [sparsity for sparsity, interval in cells if interval is not None and interval.high < 0]
    better = [sparsity for sparsity, interval in cells if interval is not None and interval.low > 0]
    if len(worse) == len(cells):
        return "yes"
    sides = [*([_at(worse)] if worse else []), *([f"{'' if worse else 'no, '}better {_at(better)}"] if better else [])]
    return "; ".join(sides) or "not shown"


def _ranked(named: pl.DataFrame, judged: str, task: Task) -> Iterator[Finding]:
    """At each moment and sparsity: its place by the mean, and from which of the others seeds set it apart.

    Two criteria whose networks all guess are not set apart.
    """
    plain = named.filter((pl.col("ablation") == "none") & pl.col("top1").is_not_null())
    for (at, sparsity), cell in groups(in_moments(plain), ["_at", "sparsity"]):
        own, rest = cell.filter(pl.col("_criterion") == judged), cell.filter(pl.col("_criterion") != judged)
        if own.is_empty() or rest.is_empty():
            continue
        means = dict(cell.group_by("_criterion", maintain_order=True).agg(pl.col("top1").mean()).rows())
        ranked = sorted(means, key=lambda name: -means[name])
        guess = {name: bool(all_guess(networks, task)) for (name,), networks in groups(cell, ["_criterion"])}
        apart = _nothing_apart()
        for (other,), against in groups(rest, ["_criterion"]):
            pairs = pair(own, against, ignore=["criterion", "scope", "rounds"]).frame
            _, interval = _difference((pairs["top1"] - pairs["top1_other"]).to_list())
            both = guess[judged] and guess[other]
            apart[_set_apart(None if both else interval)].append(_guessing(other, guess[other]))
        yield Finding(
            question=f"How good is it at {percent(sparsity)} sparsity, pruned at {at}?",
            answer=_rank(ranked.index(judged) + 1, guess[judged], [*guess.values()]),
            evidence=_ranking(means[judged], guess[judged], apart),
        )


def _nothing_apart() -> dict[str, list[str]]:
    return {"better than": [], "worse than": [], "not set apart from": []}


def _rank(place: int, guess: bool, every: Sequence[bool]) -> str:
    """A place among criteria, unless none of them is better than guessing; of one that guesses with a word on that."""
    if all(every):
        return f"none of {len(every)} is above chance"
    return f"{_place(place)} of {len(every)}{', at chance' if guess else ''}"


def _ranking(mean: float, guess: bool, apart: Mapping[str, Sequence[str]]) -> str:
    """The accuracy, and the other criteria by whether they are better."""
    others = (f"{how} {and_list(list(names))}" for how, names in apart.items() if names)
    return "; ".join([_guessing(percent(mean, 2), guess), *others])


def _guessing(text: str, guess: bool) -> str:
    return f"{text} (at chance)" if guess else text


def _in_atlas(own: pl.DataFrame, judged: str, tables: Sequence[str], task: Task) -> Iterator[Finding]:
    """In each atlas that the study names: its place among the criteria of the same recipe, made on another machine."""
    plain = own.filter((pl.col("ablation") == "none") & pl.col("top1").is_not_null())
    for name in tables:
        if not name.startswith(ATLAS):
            continue
        atlas = load(name)
        for (at, sparsity), cell in groups(in_moments(plain), ["_at", "sparsity"]):
            alike = atlas.join(cell.select(ALIKE).unique(), on=ALIKE, how="semi", nulls_equal=True).filter(
                ((pl.col("sparsity") - sparsity).abs() <= TOLERANCE) & (pl.col("criterion") != judged)
            )
            if not alike.is_empty():
                yield _placed(cell, alike, f"at {percent(sparsity)} sparsity, pruned at {at}, in {name}", task)


ALIKE = ["model", "dataset", "structure", "at", "retrain"]
"""In what a trial and a row of an atlas agree that are compared."""


def _placed(cell: pl.DataFrame, alike: pl.DataFrame, where: str, task: Task) -> Finding:
    """Seeds are paired: the same seed draws the same weights and the same batches on both machines."""
    mine, guess = dict(cell.select("seed", "top1").iter_rows()), bool(all_guess(cell, task))
    own = mean(list(mine.values()))
    apart, others = _nothing_apart(), []
    for criterion, runs in alike.sort("top1", descending=True).select("criterion", "runs").iter_rows():
        others.append(bool(all_guess(pl.DataFrame({"top1": runs}, schema={"top1": pl.Float64}), task)))
        _, interval = _difference(list(paired(mine, dict(enumerate(runs, start=1))).values()))
        both = guess and others[-1]
        apart[_set_apart(None if both else interval)].append(_guessing(words(criterion), others[-1]))
    return Finding(
        question=f"How good is it {where}?",
        answer=_rank(1 + alike.filter(pl.col("top1") > own).height, guess, [guess, *others]),
        evidence=_ranking(own, guess, apart),
    )


def in_moments(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials with the moment of pruning in words."""
    return trials.with_columns(in_words(trials, "at").fill_null("several moments").alias("_at"))


def _cost(named: pl.DataFrame, judged: str) -> Iterator[Finding]:
    known = named.filter(pl.col("score_s").is_not_null() & (pl.col("ablation") == "none"))
    # Trials of several sparsities may share a score: it was measured once.
    scored = known.unique(["_criterion", "seed", "score_s"], maintain_order=True)
    seconds = {name: cell["score_s"].to_list() for (name,), cell in groups(scored, ["_criterion"])}
    if judged in seconds and len(seconds) > 1:
        others = [f"{name} {_milliseconds(values)}" for name, values in seconds.items() if name != judged]
        yield Finding(
            question="What do its scores cost?",
            answer=_milliseconds(seconds[judged]),
            evidence=f"the median of {plural(len(seconds[judged]), 'measurement')} and their quartiles; "
            f"{and_list(others)}",
        )


def _milliseconds(seconds: Sequence[float]) -> str:
    """The median and the quartiles, as of latencies; fewer than three measurements have no quartiles."""
    middle = f"{median(seconds) * 1000:,.0f} ms"
    if len(seconds) < FEWEST:
        return middle
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    return f"{middle} ({low * 1000:,.0f} to {high * 1000:,.0f})"


def _difference(values: list[float]) -> tuple[float | None, Interval | None]:
    return (mean(values), t_interval(values, LEVEL)) if values else (None, None)


def _set_apart(interval: Interval | None) -> str:
    if interval is None or interval.low <= 0 <= interval.high:
        return "not set apart from"
    return "better than" if interval.low > 0 else "worse than"


def _spread(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "–"
    if interval is None:
        return points(value, sign=True)
    low, high = (points(bound, sign=True, unit=False) for bound in (interval.low, interval.high))
    return f"{points(value, sign=True)} ({low} to {high})"


def _at(sparsities: list[float]) -> str:
    return f"at {and_list([percent(sparsity) for sparsity in sparsities])}"


def _place(number: int) -> str:
    """An ordinal number: 1st, 2nd, 3rd, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
