from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.catalog.optimizer import Optimizer


class Sgd(Optimizer):
    name = "sgd"
    summary = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
