"""The kinds of step. A step is a frozen record; its key is the digest of everything in it.

Fields of type `Key` or `Key | None` are the artefacts that a step starts from (its parents), by role. How a step is
done is in `work/`, one module per kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from operator import attrgetter
from typing import ClassVar, Literal, NewType, get_type_hints

from prunectl.base.keys import Texts, canonical, digest
from prunectl.catalog.ablation import Ablation
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.dataset import Dataset
from prunectl.catalog.metric import Metric, Part
from prunectl.catalog.model import Model
from prunectl.catalog.recipe import Recipe, Stretch
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.values import Denominator
from prunectl.plan.conditions import Conditions

Key = NewType("Key", str)

SCHEMA = 2
"""Raised when all keys must change. A change of one kind raises that kind's `version`."""

IMPLIED = {"implied": True}
"""Marks a field that the keys of the parents determine, and that is therefore no part of the step's own key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Weights from a file, known by their content: where the file is, and what it is called, is not part of a key."""

    digest: str
    file: str = field(compare=False)
    """As the study writes it, for messages."""
    by_library: bool = False
    """Whether the network's own library loads it, which may change names and shapes."""

    def preimage(self) -> dict[str, str | bool]:
        """The content, and who loads it."""
        return {"weights": self.digest, **({"by_library": True} if self.by_library else {})}


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network, and how its weights are drawn or that they are loaded. `bn_init` is "ones" where no rule draws."""

    model: Model
    init: str | Loaded
    bn_init: str
    shape: tuple[int, int, int]
    classes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """A data set, by content. Where it lies is not part of it.

    `validation` images are held out of the training images, before `train_limit` takes some of the rest.
    """

    dataset: Dataset
    fingerprint: str
    train_limit: int | None = None
    test_limit: int | None = None
    validation: int | None = field(default=None, metadata={"absent": None})

    def of_tests(self) -> Data:
        """What a test depends on: not which training images are used."""
        return replace(self, train_limit=None, validation=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class During:
    """How masks change in a training. `rounds` count in steps; `of` as in `Prune`."""

    rounds: Rounds
    criterion: Criterion
    scope: Scope
    structure: Structure
    exclude: tuple[str, ...]
    sparsity: float
    invert: bool
    of: Denominator


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One unit of work, with the seed of everything that is drawn in it."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Init(Step):
    """Draw the weights of a network, or load them: then with seed 0. Leaves a state."""

    kind: ClassVar[str] = "init"
    network: Network
    draw: Literal["init", "reinit"] = "init"


@dataclass(frozen=True, kw_only=True, slots=True)
class Train(Step):
    """Train from a state, masked or dense, to step `to_step` of the recipe. Leaves a state and a curve.

    With `during`, which needs a dense start, it prunes on the way, and leaves the mask of the end as well.

    `first_step` is where in the recipe it begins. What it can be taken up from (an earlier state of the same
    training) is not in the key: the bits do not depend on it. `evaluate` is when the curve gets a point: after every
    epoch, after this many steps, or never.
    """

    kind: ClassVar[str] = "train"
    network: Network
    data: Data
    recipe: Recipe
    start: Key
    mask: Key | None
    optimizer: Literal["fresh", "kept"]
    first_step: int
    to_step: int
    evaluate: Literal["epoch", "never"] | int = field(default="epoch", metadata={"absent": "epoch"})
    stretch: Stretch | None = field(default=None, metadata={"absent": None})
    """How much longer than `recipe` it is, which only its mask decides. It goes from the recipe's start to its end."""
    during: During | None = field(default=None, metadata={"absent": None})


@dataclass(frozen=True, kw_only=True, slots=True)
class Score(Step):
    """Score the prunable weights once. Leaves scores that serve every sparsity, every scope and the inversion."""

    kind: ClassVar[str] = "score"
    network: Network
    data: Data | None
    criterion: Criterion
    exclude: tuple[str, ...]
    state: Key
    mask: Key | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prune(Step):
    """Turn scores into a mask at one sparsity. `before` is the mask of the level before, if there is one.

    `of` is what the sparsity is a fraction of: the prunable weights, or all parameters. Only the worker knows how
    many there are. `state` is that of the network that was scored, for a scope that looks at the weights; otherwise
    None.
    """

    kind: ClassVar[str] = "prune"
    network: Network
    structure: Structure
    scope: Scope
    sparsity: float
    invert: bool
    scores: Key
    before: Key | None
    state: Key | None
    of: Denominator = field(default="prunable", metadata={"absent": "prunable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class PruneRounds(Step):
    """Score and prune in rounds without training between them. Leaves a mask. `of` as in `Prune`.

    A criterion that updates the weights that stay is always done in this way, in one round too, and leaves a state.
    """

    kind: ClassVar[str] = "prune-rounds"
    network: Network
    data: Data | None
    criterion: Criterion
    exclude: tuple[str, ...]
    structure: Structure
    scope: Scope
    sparsity: float
    rounds: Rounds
    invert: bool
    state: Key
    before: Key | None
    of: Denominator = field(default="prunable", metadata={"absent": "prunable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Collapse(Step):
    """Find the highest compression at which no layer is empty, without training. Leaves that number.

    `scores` are those that one-shot masks share; None where each mask is made in rounds, or pruning changes the weights
    that stay. `state` is that of the network that is scored; None where the scores suffice.
    """

    kind: ClassVar[str] = "collapse"
    network: Network
    data: Data | None
    criterion: Criterion
    exclude: tuple[str, ...]
    structure: Structure
    scope: Scope
    rounds: Rounds
    invert: bool
    scores: Key | None
    state: Key | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ablate(Step):
    """Change a mask as an ablation does. Leaves a mask."""

    kind: ClassVar[str] = "ablate"
    network: Network
    structure: Structure
    ablation: Ablation
    mask: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalibrate(Step):
    """Measure the BatchNorm statistics of a pruned network again, on the training images. Leaves a state."""

    kind: ClassVar[str] = "recalibrate"
    version: ClassVar[int] = 2
    network: Network
    data: Data
    state: Key
    mask: Key
    seed: int = field(metadata=IMPLIED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure(Step):
    """Metrics on all images of a part of the data. Leaves them, and for the test images what is left of the network."""

    kind: ClassVar[str] = "measure"
    version: ClassVar[int] = 2
    network: Network
    data: Data
    exclude: tuple[str, ...]
    state: Key
    mask: Key | None
    metrics: tuple[Metric, ...]
    part: Part = field(default="test", metadata={"absent": "test"})
    seed: int = field(metadata=IMPLIED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency(Step):
    """Time the forward pass of a pruned network in every variant, next to the dense one. Leaves milliseconds, bytes.

    `dense` is the state of the baseline. Without a mask it is the only network, and `state` the same.
    """

    kind: ClassVar[str] = "latency"
    network: Network
    dense: Key
    state: Key
    mask: Key | None
    conditions: Conditions
    seed: int = field(metadata=IMPLIED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensitivity(Step):
    """Prune each layer alone by a rate, without retraining, and measure. Leaves the metrics of each layer.

    `state` is that of the dense network, `scores` those of its weights: one network serves every rate.
    """

    kind: ClassVar[str] = "sensitivity"
    network: Network
    data: Data
    structure: Structure
    rate: float
    state: Key
    scores: Key
    metrics: tuple[Metric, ...]


STEPS: tuple[type[Step], ...] = (
    Init, Train, Score, Prune, PruneRounds, Collapse, Ablate, Recalibrate, Measure, Latency, Sensitivity,
)  # fmt: skip
"""Every kind of step."""


def _parents_of(kind: type[Step]) -> tuple[str, ...]:
    return tuple(name for name, type_ in get_type_hints(kind).items() if type_ in (Key, Key | None))


PARENTS = {kind: _parents_of(kind) for kind in STEPS}
"""The fields that are keys of parents, per kind."""


@cache
def _head(kind: type[Step]) -> tuple[tuple[str, str], ...]:
    """What the pre-image of a step has besides its fields: names and texts."""
    return tuple(
        (name, canonical(value)) for name, value in (("schema", SCHEMA), ("kind", kind.kind), ("version", kind.version))
    )


def preimage(step: Step, texts: Texts | None = None) -> str:
    """The canonical text that a step's key is the digest of. A field that has its "absent" value is left out of it.

    `texts` are those of the records that several steps share.
    """
    kind: type = type(step)
    return (texts or Texts()).record(step, _head(kind))


def key_of(step: Step) -> Key:
    """The identity of what a step makes."""
    return Key(digest(preimage(step)))


def run_of(step: Train, texts: Texts) -> str:
    """What the steps of one training have in common: everything but how far they go."""
    return texts.record(step, (("to_step", "0"),))


def parents(step: Step) -> dict[str, Key]:
    """The artefacts that a step starts from, by role."""
    return {role: key for role in PARENTS[type(step)] if (key := getattr(step, role)) is not None}


_READ = {kind: attrgetter(*roles, roles[0]) for kind, roles in PARENTS.items() if roles}
"""What gives the keys of a step's parents. The first is read twice: of one name, attrgetter gives no tuple."""


def parent_keys(step: Step) -> list[Key]:
    """The same artefacts without their roles, each once: a plan asks this of every step several times."""
    read = _READ.get(type(step))
    return [] if read is None else [key for key in read(step)[:-1] if key is not None]
