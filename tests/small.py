"""A study of two arms that takes a second, for tests that need something real in a store."""

from __future__ import annotations

from in_process import InProcess
from prunectl.api.machine import Machine
from prunectl.api.session import Session

SMALL = """\
name = "small"
[data]
name = "digits"
train_limit = 100
test_limit = 50
[model]
name = "tiny-cnn"
[train]
epochs = 1
batch_size = 50
lr = 0.05
[sweep]
sparsities = [0.0, 0.5]
seeds = [1]
[[prune]]
criterion = ["magnitude", "random"]
at = "init"
"""

HERE = Machine(executor=InProcess())
"""The machine of a run in the process of a test."""


def damage(session: Session, name: str, key: str = "*") -> str:
    """Change a file of that name in one artefact, of any key or of the one given; its key."""
    file = next(session.store.root.glob(f"objects/*/{key}/{name}"))
    file.chmod(0o644)
    file.write_bytes(b"x" + file.read_bytes()[1:])
    return file.parent.name
