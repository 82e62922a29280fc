"""What is to do, what is reused, and why."""

from __future__ import annotations

from planning import plan
from prunectl.plan.explain import Reason, explain


def test_what_is_to_do_stops_at_what_is_there() -> None:
    planned = plan({"criterion": "snip"})
    targets = planned.targets("retrain")
    everything = explain(planned, targets, has=lambda key: False, failure=lambda key: None)
    assert set(everything.todo) == planned.closure(targets)
    assert set(everything.todo.values()) == {Reason.MISSING}
    nothing = explain(planned, targets, has=targets.__contains__, failure=lambda key: None)
    assert not nothing.todo  # the scores are gone, and nobody needs them
    assert nothing.reused == targets


def test_what_rests_on_a_failure_is_skipped_and_a_crash_is_tried_again() -> None:
    planned = plan({"criterion": "snip"}, sweep={"sparsities": [0.5], "seeds": [1]})
    scores = next(key for key, step in planned.steps.items() if step.kind == "score")
    targets = planned.targets("retrain")
    failed = explain(planned, targets, has=lambda key: False, failure=lambda key: "method" if key == scores else None)
    assert failed.failed == {scores}
    assert {planned.steps[key].kind for key in failed.skipped} == {"prune", "train", "measure"}
    again = explain(planned, targets, has=lambda key: False, failure=lambda key: "crash" if key == scores else None)
    assert again.todo[scores] is Reason.CRASHED
