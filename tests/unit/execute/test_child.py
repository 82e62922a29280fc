"""A step in a process of its own."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import gc, types
import pickle
from prunectl.execute import child

class Printing:
    def send(self, outcome):
        print(outcome, flush=True)
    def close(self):
        pass

child.do = lambda request, stop, progress: gc.get_freeze_count()
child.main(Printing(), "key", pickle.dumps(types.SimpleNamespace(threads=1)))
"""


def test_what_a_child_shares_with_its_server_is_not_walked() -> None:
    """One collection over all that torch brought in takes ten times as long as a small step."""
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 100_000, told.stderr
