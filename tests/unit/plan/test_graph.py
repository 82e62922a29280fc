"""How much of a plan each stage needs."""

from __future__ import annotations

from collections import Counter

from planning import plan


def test_stages_ask_for_no_more_than_they_need() -> None:
    planned = plan({"criterion": ["snip", "synflow"], "ablation": ["none", "shuffle"]})
    counted = {}
    for stage in ("train", "prune", "ablate", "retrain"):
        needed = planned.closure(planned.targets(stage))
        counted[stage] = Counter(planned.steps[key].kind for key in needed)
    assert set(counted["train"]) == {"init", "train", "measure"}
    assert "ablate" not in counted["prune"]
    assert "train" not in counted["prune"]  # masks at initialization need no training
    assert counted["ablate"]["ablate"] == 8
    assert counted["retrain"]["train"] == 2 + 16
