"""How much of a study is done, and what is missing and why, in sentences."""

from __future__ import annotations

import polars as pl

from prunectl.base.text import and_list, plural, span

MOST_REASONS = 5
"""Maximum number of reasons for trials that failed or are missing."""


def missing(trials: pl.DataFrame) -> str:
    """Of a study that is not finished: how much of it is done, and which arms have trials missing; else nothing."""
    rest = trials.filter(pl.col("status") == "missing")
    if rest.is_empty():
        return ""
    counts = rest.group_by("arm", maintain_order=True).len().rows()
    arms = [f"{arm} ({number:,})" for arm, number in counts[:4]]
    arms += [plural(len(counts) - 4, "more arm")] if len(counts) > 4 else []
    done = trials.filter(pl.col("status") == "done").height
    failed = trials.height - done - rest.height
    return (
        f"{done:,} of {plural(trials.height, 'trial')} {'is' if done == 1 else 'are'} done"
        f"{f', {failed:,} failed' if failed else ''}, {rest.height:,} {'is' if rest.height == 1 else 'are'} missing: "
        f"{and_list(arms)}"
    )


def lacking(trials: pl.DataFrame) -> list[str]:
    """How many trials failed, are missing, or lack their baseline or a count, and why: the most frequent first."""
    rest = trials.filter((pl.col("status") != "done") | pl.col("reason").is_not_null())
    counts = (
        rest.group_by("status", "reason", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    )
    return [_lacking(**row) for row in counts.head(MOST_REASONS).iter_rows(named=True)]


def _lacking(status: str, reason: str | None, len: int) -> str:
    but = ", but " if status == "done" else ": "
    return f"{plural(len, 'trial')} {status}" + (f"{but}{reason}" if reason else "")


def coverage(trials: pl.DataFrame) -> str:
    """How much of a study with trials is done, and with how many seeds."""
    by_arm = seeds_by_arm(trials)
    done = trials.filter(pl.col("status") == "done")
    be = "is" if done.height == 1 else "are"
    text = f"{done.height:,} of {plural(trials.height, 'trial')} {be} done, "
    text += f"with {plural(by_arm[0], 'seed') if len(set(by_arm)) == 1 else f'{span(by_arm)} seeds'}"
    others = [
        f"{number:,} {status}"
        for status, number in trials.filter(pl.col("status") != "done")["status"].value_counts(sort=True).rows()
    ]
    return f"{text} ({and_list(others)})." if others else f"{text}."


def seeds_by_arm(trials: pl.DataFrame) -> list[int]:
    """The number of seeds of each arm."""
    return trials.group_by("arm").agg(pl.col("seed").n_unique())["seed"].to_list()
