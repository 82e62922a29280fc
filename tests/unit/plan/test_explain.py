"""What is to do, what is reused, and why."""

from __future__ import annotations

from planning import END, plan, trial
from prunectl.plan.explain import Reason, explain
from prunectl.plan.steps import parents


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


ONE = {"sparsities": [0.5], "seeds": [1]}


def test_a_step_that_stopped_on_the_way_goes_on_and_one_that_crashed_is_tried_again() -> None:
    planned = plan({"criterion": "snip"}, sweep=ONE)
    train, score = (
        next(key for key, step in planned.steps.items() if step.kind == kind) for kind in ("train", "score")
    )
    found = explain(
        planned,
        planned.targets("retrain"),
        has=lambda key: False,
        failure=lambda key: "crash" if key == score else None,
        under_way={train, score}.__contains__,
    )
    assert (found.todo[train], found.todo[score]) == (Reason.UNDER_WAY, Reason.CRASHED)


def test_what_is_to_do_comes_after_its_parents() -> None:
    planned = plan({"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]}, END)
    found = explain(planned, planned.targets("retrain"), has=lambda key: False, failure=lambda key: None)
    place = {key: index for index, key in enumerate(found.todo)}
    for key in found.todo:
        assert all(place[parent] < place[key] for parent in parents(planned.steps[key]).values())


def test_every_skipped_step_names_the_failure_at_its_root() -> None:
    """A training is skipped for the scores that failed, not for the mask between."""
    planned = plan({"criterion": "snip"}, sweep=ONE)
    score = next(key for key, step in planned.steps.items() if step.kind == "score")
    found = explain(
        planned,
        planned.targets("retrain"),
        has=lambda key: False,
        failure=lambda key: "method" if key == score else None,
    )
    assert set(found.skipped.values()) == {score}
    assert not set(found.skipped) & set(found.todo)
    assert score not in found.todo


def test_a_failure_that_nothing_needs_is_not_asked_about() -> None:
    planned = plan({"criterion": "snip"}, sweep=ONE)
    prune = next(key for key, step in planned.steps.items() if step.kind == "prune")
    asked: list[str] = []
    found = explain(planned, [prune], has=prune.__eq__, failure=lambda key: asked.append(key))
    assert asked == []
    assert not found.todo
    assert not found.failed
    assert found.reused == {prune}


def test_only_the_way_to_the_targets_is_to_do() -> None:
    planned = plan({"criterion": ["snip", "magnitude"]}, sweep=ONE)
    prune = trial(planned, criterion="snip").plain_mask
    assert prune is not None
    found = explain(planned, [prune], has=lambda key: False, failure=lambda key: None)
    assert [planned.steps[key].kind for key in found.todo] == ["init", "score", "prune"]


def test_a_measurement_needs_only_its_state_and_its_mask() -> None:
    planned = plan({"criterion": "snip"}, sweep=ONE)
    chosen = trial(planned)
    found = explain(planned, [chosen.measure], has={chosen.state, chosen.mask}.__contains__, failure=lambda key: None)
    assert list(found.todo) == [chosen.measure]
    assert found.reused == {chosen.state, chosen.mask}
