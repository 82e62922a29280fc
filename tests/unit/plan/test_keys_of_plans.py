"""Keys of large plans: a record that steps share is rendered once, and the text is the one that `canonical` gives."""

from __future__ import annotations

from typing import Any

import pytest

from planning import BASE, kinds, plan
from prunectl.base import keys
from prunectl.base.keys import canonical, digest, plain
from prunectl.plan.steps import SCHEMA, key_of, preimage, run_of

ARMS: tuple[dict[str, Any], ...] = (
    {"criterion": ["snip", "synflow"], "scope": ["global", "erk"], "ablation": ["none", "shuffle", "reinit"]},
    {"criterion": "magnitude", "at": "end", "retrain": ["finetune", "weight-rewind"], "rounds": "iterative"},
    {"criterion": "magnitude", "structure": "channels", "at": "end", "retrain": "none"},
)


def renderings(monkeypatch: pytest.MonkeyPatch, seeds: int) -> int:
    """How many records and entries are turned into plain values for the keys of a plan."""
    calls = []

    def counted(value: Any) -> dict[str, Any]:
        calls.append(value)
        return plain(value)

    monkeypatch.setattr(keys, "plain", counted)
    plan(*ARMS[:1], sweep={"sparsities": [0.0, 0.5, 0.9], "seeds": list(range(seeds))})
    return len(calls)


def test_the_number_of_renderings_does_not_grow_with_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert renderings(monkeypatch, seeds=20) == renderings(monkeypatch, seeds=1)


def test_a_plan_gives_every_step_the_key_that_it_has_alone() -> None:
    planned = plan(*ARMS, sweep={**BASE["sweep"], "of": "all"})
    assert {step.kind for step in planned.steps.values()} >= {"init", "train", "score", "prune", "prune-rounds"}
    for key, step in planned.steps.items():
        body = {"schema": SCHEMA, "kind": step.kind, "version": step.version, **plain(step)}
        assert key == key_of(step) == digest(canonical(body))
        assert preimage(step) == canonical(body)


def test_states_of_one_training_have_the_same_run() -> None:
    planned = plan({"criterion": "magnitude", "at": [{"epoch": 3}, {"epoch": 5}]})
    texts = keys.Texts()
    for later, earlier in planned.follows.items():
        states: Any = planned.steps[later], planned.steps[earlier]
        assert run_of(states[0], texts) == run_of(states[1], texts)
        assert states[0].to_step > states[1].to_step


def test_precision_is_in_the_keys_of_trainings_alone_and_of_what_follows_them() -> None:
    """Scores and masks at initialization are shared: they are computed in float32."""

    def steps(**train: Any) -> dict[str, set[str]]:
        planned = plan(ARMS[0], train={**BASE["train"], **train})
        return {kind: {key for key, step in planned.steps.items() if step.kind == kind} for kind in kinds(planned)}

    plain_, written, rounded = steps(), steps(precision="float32"), steps(precision="bfloat16")
    assert plain_ == written
    shared = {kind for kind in plain_ if plain_[kind] & rounded[kind]}
    assert shared == {"init", "score", "prune", "prune-rounds", "ablate"}
    assert plain_.keys() - shared == {"train", "measure"}


@pytest.mark.parametrize(("key", "absent", "changed"), [("label_smoothing", 0.0, 0.1), ("clip_norm", None, 1.0)])
def test_a_recipe_without_smoothing_and_clipping_has_the_key_that_it_had_before(
    key: str, absent: float | None, changed: float
) -> None:
    """Fields that were added later: where they have their absent value, keys do not hold them."""
    arm = {"criterion": "snip"}
    usual = plan(arm, train=BASE["train"] | ({} if absent is None else {key: absent}))
    assert usual.steps.keys() == plan(arm).steps.keys()
    assert not any(f'"{key}"' in preimage(step) for step in usual.steps.values())
    other = plan(arm, train=BASE["train"] | {key: changed})
    shared = {step.kind for each, step in other.steps.items() if each in usual.steps}
    assert shared == {"init", "score", "prune"}, "what is pruned before training stays"
