"""What a step could change for the next one in the same process, as it was when the worker began."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import torch

from prunectl.base.precision import round_products


class Surroundings:
    """Global state of the process, of Python and of torch."""

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.environment = dict(os.environ)
        self.mask = os.umask(0)
        os.umask(self.mask)
        self.path = list(sys.path)
        self.streams = (sys.stdin, sys.stdout, sys.stderr)
        self.descriptors = (os.dup(1), os.dup(2))
        self.dtype = torch.get_default_dtype()

    def restore(self) -> None:
        """Put everything back. Global generators are seeded by each step (`base/rng.py`)."""
        with contextlib.suppress(OSError):
            os.chdir(self.folder)
        os.umask(self.mask)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        sys.path[:] = self.path
        sys.stdin, sys.stdout, sys.stderr = self.streams
        for stream, descriptor in enumerate(self.descriptors, 1):
            os.dup2(descriptor, stream)
        self._restore_torch()

    def _restore_torch(self) -> None:
        torch.set_default_dtype(self.dtype)
        torch.set_default_device(None)  # not "cpu", which would look at every call of a function
        torch.set_grad_enabled(True)
        torch.set_flush_denormal(False)
        round_products("ieee")
        if torch.are_deterministic_algorithms_enabled():
            torch._C._set_deterministic_algorithms(False)  # the public function imports torch's compiler: a second
