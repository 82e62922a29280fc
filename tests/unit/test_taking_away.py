"""docs/taking-away.md: every block of code is run, in its order, on a network that was exported for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

from cli import write_study
from prunectl.api.export import export
from prunectl.api.run import complete
from prunectl.api.session import open_study
from prunectl.base.errors import PrunectlError
from prunectl.work.export import load
from small import HERE, SMALL

PAGE = Path(__file__).parents[2] / "docs" / "taking-away.md"
STUDY = SMALL.replace("tiny-cnn", "lenet-300-100").replace(
    'criterion = ["magnitude", "random"]\nat = "init"', 'criterion = "l1-norm"\nstructure = "channels"\nat = "init"'
)


def test_the_page_loads_what_was_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_study(write_study(tmp_path, STUDY), only="sparsity=0.5", store=tmp_path / "store")
    complete(session, HERE)
    export(session, tmp_path / "mine", compact=True)
    document = export(session, tmp_path / "mine-onnx", compact=True, format="onnx")
    assert set(document["files"]) == {"model.onnx", "compact.onnx"}
    assert document["onnx"] == json.loads((tmp_path / "mine-onnx" / "network.json").read_text())["onnx"]
    assert (document["onnx"]["opset"], document["onnx"]["tolerance"]) == (18, 1e-4)
    assert document["onnx"]["difference"] <= 1e-4
    sizes = document["files"]
    assert sizes["compact.onnx"]["size_bytes"] < 0.8 * sizes["model.onnx"]["size_bytes"]
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(code) == 4
    names: dict[str, object] = {}
    for block in code:
        exec(block, names)
    assert isinstance(names["logits"], torch.Tensor) and names["logits"].shape == (5, 10)
    with pytest.raises(PrunectlError, match="holds ONNX files"):
        load(tmp_path / "mine-onnx")
