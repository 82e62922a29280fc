"""Pruning layers alone: steps of the store, criteria by name or table."""

from __future__ import annotations

import pytest

from prunectl.api.run import complete
from prunectl.api.runs import recorded
from prunectl.api.sensitivity import criterion_of, planned, sensitivity
from prunectl.api.session import Session
from prunectl.base.errors import StudyError
from prunectl.pruning.criteria.snip import Snip
from small import HERE


def test_layers_are_measured_once_and_kept(own: Session) -> None:
    alone = planned(own, (0.5, 0.9))
    first = sensitivity(own, alone, HERE)
    assert first.spared.rows.select("layer", "rate").rows() == [
        (layer, rate) for layer in ("conv1", "conv2", "head") for rate in (0.5, 0.9)
    ]
    assert first.spared.top1_dense is not None and first.spared.rows["change"].null_count() == 0
    assert len(first.tally.done) == 3, "the scores of the trained network, and a step for each rate"
    more = sensitivity(own, planned(own, (0.5, 0.8)), HERE)
    assert len(more.tally.done) == 1, "another rate is one step more"
    complete(own, HERE)
    kept = {key for run in recorded(own.store) for key in run.keys}
    assert set(alone.by_rate.values()) <= kept


def test_a_criterion_is_a_name_or_a_table() -> None:
    assert criterion_of("snip") == Snip()
    assert criterion_of('{ name = "snip", samples_per_class = 5 }') == Snip(samples_per_class=5)


@pytest.mark.parametrize(
    ("asked", "message"),
    [("snp", 'did you mean "snip"'), ("{ name = ", "is not a TOML table"), ('{ name = "snip", x = 1 }', "x")],
)
def test_what_is_no_criterion_is_an_error_with_the_nearest_name(asked: str, message: str) -> None:
    with pytest.raises(StudyError) as raised:
        criterion_of(asked)
    assert message in str(raised.value)
