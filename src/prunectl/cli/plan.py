"""`prunectl plan`: what a run would do, why, and what sharing saves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prunectl.base.text import seconds
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json
from prunectl.cli.session import Session, open_session, todo_of

if TYPE_CHECKING:
    from prunectl.plan.cost import Past
    from prunectl.plan.explain import Todo


def plan(
    study: options.StudyFile,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    only: options.Only = None,
    store: options.Store = None,
    data: options.Data = None,
    json_: options.Json = False,
) -> None:
    """Show what `run` would do: steps by kind, reused or to do and why, what sharing saves, estimated time."""
    session = open_session(study, overrides=set_, profile=profile, only=only, store=store, data=data)
    told = describe(session, todo_of(session, "retrain"))
    if json_:
        answer_json(told)
    else:
        for line in lines(told):
            answer(line)


def describe(session: Session, todo: Todo) -> dict[str, Any]:
    """The plan in numbers."""
    from prunectl.plan.changes import changes
    from prunectl.plan.cost import estimate, training_steps

    plan = session.plan
    needed = plan.closure(plan.targets("retrain"))
    kinds = {}
    for kind in dict.fromkeys(plan.steps[key].kind for key in plan.steps if key in needed):
        of_kind = [key for key in plan.steps if key in needed and plan.steps[key].kind == kind]
        reasons = Counter(todo.todo[key].value for key in of_kind if key in todo.todo)
        kinds[kind] = {
            "steps": len(of_kind),
            "to_do": sum(reasons.values()),
            "reused": sum(session.store.has(key) for key in of_kind),
            "failed": sum(key in todo.failed for key in of_kind),
            "skipped": sum(key in todo.skipped for key in of_kind),
            "why": dict(reasons),
        }
    past = list(past_steps(session, todo))
    return {
        "study": session.study.name,
        "trials": len(plan.trials),
        "steps": kinds,
        "changed": changes(plan, todo.todo, [one.preimage for one in past]),
        "dense_trainings": len({trial.baseline for trial in plan.trials}),
        **training_steps(plan),
        "estimate_s": estimate(plan, todo.todo, past),
    }


def past_steps(session: Session, todo: Todo, most: int = 2000) -> list[Past]:
    """Steps that the store has, to say what changed and how long things take."""
    from itertools import islice

    from prunectl.plan.cost import Past
    from prunectl.store.local import DamagedError

    found = []
    if todo.todo:
        for key in islice(session.store.keys(), most):
            try:
                manifest = session.store.manifest(key)
            except (DamagedError, KeyError):
                continue
            made = manifest.made
            found.append(Past(preimage=manifest.preimage, wall_s=made.wall_s, resume=made.resume))
    return found


def lines(told: dict[str, Any]) -> list[str]:
    """The plan for people."""
    out = [f"{told['study']}: {told['trials']:,} trials", ""]
    out.append(f"{'step':<14}{'planned':>9}{'reused':>9}{'to do':>9}   why")
    for kind, row in told["steps"].items():
        why = [f"{count:,} {reason}" for reason, count in row["why"].items()]
        why += [f"{row[end]:,} {end}" for end in ("failed", "skipped") if row[end]]
        out.append(f"{kind:<14}{row['steps']:>9,}{row['reused']:>9,}{row['to_do']:>9,}   {'; '.join(why)}".rstrip())
    out += [f"  {change}" for change in told["changed"]]
    out.append("")
    saved = told["training_steps_unshared"] - told["training_steps"]
    share = saved / told["training_steps_unshared"] if told["training_steps_unshared"] else 0.0
    out.append(
        f"dense trainings: {told['dense_trainings']:,}, one a seed; training steps: "
        f"{told['training_steps']:,} instead of {told['training_steps_unshared']:,} without sharing ({share:.0%} saved)"
    )
    if told["estimate_s"] is None:
        out.append("estimated time: unknown until a step of each kind has been done here")
    else:
        out.append(f"estimated time to do: {seconds(told['estimate_s'])} of one process")
    return out
