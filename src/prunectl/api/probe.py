"""A short measurement where it is not known how long the trainings of a plan take: `plan --measure`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prunectl.api.machine import Machine
from prunectl.api.workbench import workbench

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.plan.cost import Past
    from prunectl.plan.explain import Todo
    from prunectl.plan.probe import Probed

HERE = Machine(executor="local")
STOPPED = "the measurement was stopped: this is the plan without it"


def probe(session: Session, todo: Todo, past: Sequence[Past], warn: Warn, machine: Machine = HERE) -> Probed:
    """Time short versions of trainings and tests of which it is not known how long they take.

    At most one training of each network and data set is timed, and one test of it, one after the other, on this
    machine and in a store that is deleted. `warn` is called with what is measured, and with why something could not
    be. Ctrl-C ends it without any measurement. Raises FatalError where no step can be done: the data are missing.
    """
    from prunectl.plan.cost import known
    from prunectl.plan.probe import Probed, Probing
    from prunectl.plan.resolve import images_of
    from prunectl.plan.short import unknown_steps
    from prunectl.plan.steps import Measure, Train

    before = known(past)
    unknown = unknown_steps(session.plan, todo.todo, before)
    if not any(isinstance(step, Train | Measure) for step in unknown.values()):
        return Probed()
    images = images_of(session.study, session.content)["test"]
    try:
        with workbench(session, machine) as bench:
            on = bench.workers.device
            return Probing(session.plan, before, unknown, images=images, do=bench.do, on=on, warn=warn).result()
    except KeyboardInterrupt:
        warn(STOPPED)
        return Probed()
