"""Where the pretrained weights of a network are on this machine, which only its library knows.

Asking it imports torch, so that a process of its own does it where this one has not imported it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from prunectl.base.errors import PrunectlError
from prunectl.catalog.lookup import read_entry
from prunectl.catalog.model import Model
from prunectl.models.weights_file import WeightsError

CODE = "import sys; sys.path[:] = {path!r}; from prunectl.models.pretrained import main; main()"


def pretrained_file(model: Model) -> Path:
    """The file of pretrained weights of a network. Raises WeightsError that names where they are looked for."""
    if "torch" in sys.modules:
        return model.pretrained_file()
    asked = subprocess.run(
        [sys.executable, "-c", CODE.format(path=sys.path)],
        input=json.dumps(model.written()),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        reason = (asked.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise WeightsError(f"the pretrained weights of {model.name} cannot be looked for: {reason}")
    answer: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    if "file" in answer:
        return Path(answer["file"])
    raise WeightsError(answer["message"], hint=answer["hint"])


def main() -> None:
    """Answer for the network on stdin: its file, or why there is none."""
    try:
        answer: dict[str, Any] = {"file": str(read_entry("models", json.load(sys.stdin), Model).pretrained_file())}
    except PrunectlError as error:
        answer = {"message": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(answer) + "\n")
