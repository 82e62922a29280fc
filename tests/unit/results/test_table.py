"""Results as Python shows them."""

from __future__ import annotations

from made_up import results


def test_results_are_shown_in_one_line_with_the_way_to_the_table() -> None:
    made = results(seeds=1, failed=2)
    trials = len(made.trials)
    assert repr(made) == f"<Results of made-up: {trials - 2} of {trials} trials done; table: .trials>"
