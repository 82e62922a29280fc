"""A Ray actor: one local engine with one worker, on whichever machine Ray has room for it.

The actor only relays. Steps are done by a worker that is forked as on the driver's own machine, so what third parties'
code does to its process, prints or breaks ends the same way. No torch and no Ray at the top of this module.
"""

from __future__ import annotations

import os
import pickle
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from prunectl.base.errors import PrunectlError, described
from prunectl.base.version import __version__
from prunectl.execute.devices import resolve_devices
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.local import LocalEngine
from prunectl.execute.outcome import Checking, Event, Outcome, Request, Status
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Key

LISTEN_S = 0.5
"""How soon an actor notices that it was asked to stop, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """What an actor is created with."""

    device: str
    """'cpu', or 'cuda' for the GPU that Ray assigns to the actor."""
    jobs: int
    """Number of actors of the run."""
    readers: int
    """Number of processes that read pictures ahead for a step."""
    imports: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    """Where the driver finds modules; a plug-in may be there on this machine, too."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an actor is, or why it cannot work there."""

    node: str
    device: str = ""
    version: str = __version__
    problem: str = ""


class Host:
    """The actor. Ray calls `do` and `stop` in threads of their own."""

    def __init__(self, hosting: Hosting) -> None:
        self.hosting = hosting
        sys.path += [folder for folder in hosting.path if folder not in sys.path]
        os.environ.update({name: text for name, text in hosting.environment.items() if name not in os.environ})
        self.engine = LocalEngine(1, hosting.imports)
        self.device = ""
        self.stopping = False

    def place(self) -> Place:
        """Where this is. The device is resolved here, on the machine that has it."""
        try:
            self.device = resolve_devices(self.hosting.device)[0]
        except PrunectlError as error:
            return Place(node=platform.node(), problem=str(error))
        return Place(node=platform.node(), device=self.device.partition(":")[0])

    def share(self, packed: bytes) -> None:
        """Let the workers of this actor share the data sets that a preflight names."""
        with suppress(Exception):  # a step that needs what cannot be read reports it
            request = pickle.loads(packed)
            if isinstance(request.step, Preflight):
                self.engine.share(request.step.data, request.data)

    def do(self, key: Key, packed: bytes, suspect: bool) -> Iterator[Event | Checking | None]:
        """Do a request: None once it has begun, its progress, its outcome. A suspect step gets a fresh worker."""
        yield None
        try:
            request: Request = pickle.loads(packed)
        except BaseException as error:  # the module of a plug-in may raise anything when it is imported here
            reason = f"a module that the study uses cannot be imported on {platform.node()}: {described(error)}"
            yield Outcome(key=key, status=Status.FAILED, reason=reason)
            return
        if suspect:
            self.engine.suspects.add(key)
        yield from self._done(self._here(request))

    def _here(self, request: Request) -> Request:
        return replace(request, device=self.device, devices=(), workers=self.hosting.readers, jobs=self.hosting.jobs)

    def _done(self, request: Request) -> Iterator[Event | Checking]:
        try:
            self.engine.start(request)
            while not self.stopping:
                for event in self.engine.wait(LISTEN_S):
                    yield event
                    if isinstance(event, Outcome):
                        return
        except PrunectlError as error:  # no worker can be started on this machine
            yield Outcome(key=request.key, status=Status.LOST, reason=f"on {platform.node()}: {error.message}")
            return
        except NotInTimeError:  # the run begins to stop
            pass
        self.engine.stop()
        yield Outcome(key=request.key, status=Status.STOPPED)

    def stop(self) -> None:
        """Let the step that is being done leave a snapshot and end."""
        self.stopping = True
