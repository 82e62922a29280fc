"""What is measured of a plan, by steps whose times are made up."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from planning import plan
from prunectl.plan.cost import Past, estimate, known
from prunectl.plan.graph import Plan
from prunectl.plan.probe import OTHERS, TESTS, Probed, Probing, parts
from prunectl.plan.short import length_of, unknown_steps
from prunectl.plan.short import tests_in as points_of
from prunectl.plan.steps import Init, Measure, Step, Train, preimage

GRADUAL = {"criterion": "magnitude", "rounds": {"name": "gradual", "to": {"epoch": 5}}}
IMAGES = 355


@dataclass
class Worker:
    """Takes 2 s for each step of training, 10 ms for each image of a test, and a second for whatever it does."""

    done: list[Step] = field(default_factory=list)

    def __call__(self, step: Step) -> Past:
        self.done.append(step)
        wall_s = 1.0
        if isinstance(step, Train):
            wall_s += 2.0 * length_of(step)
        elif isinstance(step, Measure):
            wall_s += 0.01 * (step.data.test_limit or IMAGES)
        return Past(preimage=preimage(step), wall_s=wall_s, size_bytes=100)


def probed(planned: Plan, worker: Worker, past: list[Past]) -> Probed:
    unknown = unknown_steps(planned, list(planned.steps), known(past))
    return Probing(planned, known(past), unknown, images=IMAGES, do=worker, on="cpu", warn=lambda text: None).result()


def test_trainings_and_tests_of_a_plan_get_the_time_that_they_take() -> None:
    planned, worker = plan({"criterion": "snip"}), Worker()
    found = probed(planned, worker, [])
    trainings = [key for key, step in planned.steps.items() if isinstance(step, Train)]
    tests = [key for key, step in planned.steps.items() if isinstance(step, Measure)]
    test_s = 0.01 * IMAGES
    of_trainings = estimate(planned, trainings, found.past)
    assert of_trainings.wall_s == pytest.approx(len(trainings) * (1.0 + 100 * 2.0 + 10 * test_s))
    assert of_trainings.size_bytes == 100 * len(trainings)
    assert estimate(planned, tests, found.past).wall_s == pytest.approx(len(tests) * (1.0 + test_s))
    assert [each.per for each in found.measurements] == ["test of 355 images", "step of 100 images"]
    assert [each.seconds for each in found.measurements] == pytest.approx([1.0 + test_s, 2.0])


def test_a_test_that_is_known_is_not_measured_but_counts_in_trainings() -> None:
    planned, worker = plan({"criterion": "snip"}), Worker()
    measure = next(step for step in planned.steps.values() if isinstance(step, Measure))
    start = next(step for step in planned.steps.values() if isinstance(step, Init))
    past = [Past(preimage=preimage(step), wall_s=7.0, size_bytes=1) for step in (measure, start)]
    found = probed(planned, worker, past)
    (training,) = found.past
    assert training.wall_s == pytest.approx(1.0 + 100 * 2.0 + 10 * 7.0)
    assert not any(isinstance(step, Measure) for step in worker.done)


def test_the_parts_of_an_estimate_sum_to_it() -> None:
    planned, worker = plan({"criterion": "snip"}, GRADUAL), Worker()
    found = probed(planned, worker, [])
    expected = estimate(planned, list(planned.steps), found.past)
    split = parts(found, expected.kinds_s)
    assert sum(split.values()) == pytest.approx(expected.known_s)
    assert list(split) == [*(each.kind for each in found.measurements), TESTS, OTHERS]
    trainings = [step for step in planned.steps.values() if isinstance(step, Train)]
    assert split[TESTS] == pytest.approx(sum(map(points_of, trainings)) * 0.01 * IMAGES)


def test_few_steps_are_done_of_a_network_that_takes_long() -> None:
    worker = Worker()
    probed(plan({"criterion": "snip"}, GRADUAL), worker, [])
    assert sum(length_of(step) for step in worker.done if isinstance(step, Train)) == 1 + 2 + 4
