"""The JSON Schema of `prunectl report --format json`."""

from __future__ import annotations

from typing import Any

import polars as pl

from prunectl.results.document import FORMAT, VERSION
from prunectl.results.table import SCHEMA

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
HOLDS: dict[str, Any] = {"type": "boolean"}
NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]}
GUESS: dict[str, Any] = HOLDS | {"description": "whether every network, with every seed, is no better than guessing"}
ANSWERS = ["supported", "refuted", "not settled"]
ANSWER: dict[str, Any] = {"enum": ANSWERS}
OUTCOME: dict[str, Any] = {
    "enum": [*ANSWERS, "not asked"],
    "description": "not asked: the part of the study that was selected has no trials for the claim",
}


def schema() -> dict[str, Any]:
    """What a document of this version has; programs ignore fields that it does not name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "the results of a prunectl study",
        "description": "Accuracies and differences are fractions. An interval is null with fewer than three seeds.",
        **_object(
            format={"const": FORMAT},
            version={"const": VERSION},
            study=_object(
                name=TEXT, title=TEXT, headline=_text("the title, or what was run where a profile changes that"),
                source=TEXT, text=_text("the study file, overrides included"),
            ),
            selection=_text("what of the study was asked for (--only); empty for all of it"),
            versions=_map(TEXT),
            made_on=_map(WHOLE, "the number of steps by class of hardware"),
            counts=_object(done=WHOLE, failed=WHOLE, missing=WHOLE),
            seeds=_map(WHOLE, "the number of seeds of each arm"),
            summary=_object(
                sentences=_list(TEXT),
                dense=_list(_object(model=TEXT, dataset=TEXT, init=_or_null(TEXT), **_numbers(), at_chance=GUESS)),
                arms=_list(
                    _of_arm(median=NUMBER, sd=_or_null(NUMBER), dense=_or_null(NUMBER), **_numbers(), at_chance=GUESS)
                ),
                best=_list(_best()),
                ablations=_list(
                    _of_arm(median=NUMBER, sd=_or_null(NUMBER), **_numbers(), at_chance=GUESS,
                            unmodified_at_chance=GUESS)
                ),
                matching=_list(_matching()),
            ),
            claims=_list(_claim()),
            judged=_object(
                criterion=_text("the criterion that [report] judged names; empty without one"),
                findings=_list(_object(question=TEXT, answer=TEXT, evidence=TEXT)),
            ),
            missing=_list(
                _object(arm=TEXT, sparsity=NUMBER, seed=WHOLE, status={"enum": ["failed", "missing"]},
                        reason=_or_null(TEXT))
            ),
            trials=_list(_object(**{name: _or_null(_column(kind)) for name, kind in SCHEMA.items()})),
        ),
    }  # fmt: skip


def _claim() -> dict[str, Any]:
    interval = _or_null(_object(low=NUMBER, high=NUMBER, kind=TEXT, n=WHOLE))
    detail = _object(
        arm=_text("what the case is about, where the claim leaves a choice"), sparsity=NUMBER, n=WHOLE,
        difference=_or_null(NUMBER), interval=interval, refuting=interval, answer=ANSWER,
        idle=_text("why the case settles nothing; else empty"), artefacts=_list(TEXT),
        differences=_list(NUMBER), better_at_chance=HOLDS, than_at_chance=HOLDS,
        guessing=_text("the side that is at chance while the other is not; empty where neither or both are"),
    )  # fmt: skip
    return _object(
        text=TEXT, metric=TEXT, unit=TEXT, margin=NUMBER, over={"enum": ["cases", "average"]}, answer=OUTCOME,
        reason=TEXT, seeds=WHOLE, cases=WHOLE, supporting_level=NUMBER, refuting_level=NUMBER,
        look=_or_null(WHOLE), next_look=_or_null(WHOLE), average=interval, details=_list(detail),
        artefacts=_list(TEXT),
    )  # fmt: skip


def _best() -> dict[str, Any]:
    """The best unmodified arm at a sparsity: `center` is its mean, `change` its difference to the dense network."""
    null = _or_null(NUMBER)
    return _object(
        sparsity=NUMBER, arm=TEXT, center=NUMBER, low=null, high=null, next=TEXT, next_center=NUMBER, change=null,
        lead=_text("whether the seeds set it apart from the next; empty without an interval"),
        at_chance=GUESS, next_at_chance=GUESS, none_above_chance=HOLDS,
    )  # fmt: skip


def _matching() -> dict[str, Any]:
    place = _or_null(NUMBER)
    return _object(arm=TEXT, proved=place, estimate=place, not_excluded=place, beyond_the_sweep=HOLDS, n=WHOLE)


def _of_arm(**fields: dict[str, Any]) -> dict[str, Any]:
    return _object(arm=TEXT, ablation=_or_null(TEXT), sparsity=NUMBER, **fields)


def _numbers() -> dict[str, Any]:
    bounds = {name: _or_null(NUMBER) for name in ("low", "high")}
    return {"n": WHOLE, "mean": NUMBER, **bounds, "interval": _or_null(TEXT), "seeds": _list(NUMBER)}


def _column(kind: Any) -> dict[str, Any]:
    if kind == pl.Float64:
        return NUMBER
    if kind == pl.Int64:
        return WHOLE
    return TEXT if kind == pl.String else _list(TEXT)


def _object(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _map(values: dict[str, Any], description: str = "") -> dict[str, Any]:
    found = {"type": "object", "additionalProperties": values}
    return found | {"description": description} if description else found


def _or_null(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}


def _text(description: str) -> dict[str, Any]:
    return TEXT | {"description": description}
