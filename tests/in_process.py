"""An executor for tests that does steps in the process of the test: no nursery, no seconds to wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prunectl.catalog.executor import Executor
from prunectl.execute.outcome import Checking, Outcome, Progress, Request
from prunectl.plan.steps import Key


class Engine:
    """Does what it is asked when it is waited for, one request at a time."""

    jobs = 1

    def __init__(self) -> None:
        self.running: dict[Key, Request] = {}
        self.started: list[Request] = []
        self.stopped = 0

    def start(self, request: Request) -> None:
        self.running[request.key] = request
        self.started.append(request)

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress | Checking]:
        from prunectl.execute import child

        for request in list(self.running.values()):
            yield Progress(key=request.key, done=1, total=2)
            outcome = child.do(request, lambda: False, lambda done, total: None)
            del self.running[request.key]
            yield outcome

    def stop(self) -> None:
        self.running.clear()
        self.stopped += 1


class InProcess(Executor):
    """Gives one engine, which a test can look at."""

    name = "in-process"
    summary = "the process of the test"

    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        ENGINES.append(Engine())
        return ENGINES[-1]


ENGINES: list[Engine] = []
"""Every engine that was made, the latest last."""
