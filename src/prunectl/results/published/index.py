"""Which published tables there are, where each is from, and what to mind when it is read. No polars here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean, visible
from prunectl.catalog.values import Denominator
from prunectl.results.published.theirs import FILE, read


class Description(NamedTuple):
    """What stands in a table, where it was taken from, and what is known to be wrong or peculiar about it."""

    title: str
    source: str
    warning: str
    of: Denominator = "prunable"
    """What its sparsities are fractions of."""


SHRINKBENCH = (
    "Its compression (ShrinkBench's) is of all parameters, and its classifier is never pruned; biases are, which ours "
    "never are."
)
THESIS = "James (2022), Gauging the State-of-the-art for Foresight Weight Pruning on Neural Networks"
CHANCE = (
    "Top-1 of 9.89 and 0.99 % and top-5 of 49.45 and 4.94 % are chance, read as 10000/10112 of itself: a mean over "
    "batches of which the last is short. The factor may be in every other number too."
)
HALF = (
    "GraSP pruned about half of what is stated (a threshold on both signs of its score), so its rows are of a "
    "denser network than their sparsity suggests."
)
HARDLY = (
    "SynFlow hardly pruned either: its scores left the range of float32, and thresholds that are not numbers prune "
    "nothing."
)
ONE = "SNIP alone was initialized by Xavier. One run each, seed 42, without intervals."

ELSEWHERE = "Numbers of another machine than yours: the same recipe, seeds and sparsities, but not the same bits."

TABLES: Mapping[str, Description] = {
    "comp6258-figure1": Description(
        title="VGG-16 on CIFAR-10: four criteria, four ablations, five sparsities, pruned at initialization",
        source="Vijayakumar, Ngamsaowaros and Guo, COMP6258 Reproducibility Challenge: the values behind Figure 1, "
        "from the authors' plotting notebook",
        warning="The SynFlow rows are of a network that was not pruned at all. In the other rows BatchNorm's scales "
        "were prunable: inverted magnitude and SNIP remove them first, and the 10 % is their doing, not the "
        "inversion's. One run each.",
    ),
    "thesis-mnist-cnn": Description(
        title="The MNIST CNN, layer by layer",
        source=f"{THESIS}, Table 4.1",
        warning="A network without accuracies: those are in Figures 4.11 to 4.13 only, which give no numbers.",
    ),
    "thesis-vgg16-r32": Description(
        title="VGG-16 on CIFAR-10 and CIFAR-100: 13 methods at initialization, compression 32",
        source=f"{THESIS}, Table 4.2",
        warning=f"{SHRINKBENCH} {CHANCE} {HALF} {ONE}",
        of="all",
    ),
    "thesis-vgg16-r64": Description(
        title="VGG-16 on CIFAR-10 and CIFAR-100: 13 methods at initialization, compression 64",
        source=f"{THESIS}, Table 4.3",
        warning=f"{SHRINKBENCH} {CHANCE} {HALF} {ONE}",
        of="all",
    ),
    "thesis-resnet56-r32": Description(
        title="ResNet-56 on CIFAR-10 and CIFAR-100: 13 methods at initialization, compression 32",
        source=f"{THESIS}, Table 4.4",
        warning=f"{SHRINKBENCH} {CHANCE} {HALF} {HARDLY} {ONE}",
        of="all",
    ),
    "thesis-resnet56-r64": Description(
        title="ResNet-56 on CIFAR-10 and CIFAR-100: 13 methods at initialization, compression 64",
        source=f"{THESIS}, Table 4.5",
        warning=f"{SHRINKBENCH} {CHANCE} {HALF} {HARDLY} {ONE}",
        of="all",
    ),
    "l1-lenet-mnist": Description(
        title="LeNet-5 and LeNet-300-100 on MNIST: layerwise magnitude after training, not retrained",
        source="Muheeb, Evaluation of Gradient-Based Magnitude Pruning Technique, Table 1",
        warning="For the unpruned LeNet-5 the text says 97.24 % and the table 97.94 %; the table is what stands here. "
        "The output layer is not pruned, so the ratio is that of the other layers. One run each.",
    ),
    "l1-resnet-cifar10": Description(
        title="ResNet-18 and ResNet-50 on CIFAR-10: layerwise magnitude after training, not retrained",
        source="Muheeb, Evaluation of Gradient-Based Magnitude Pruning Technique, Table 2",
        warning="From 60 % on these are networks that all but always give the same class. BatchNorm's statistics are "
        "those of the dense network. The output layer is not pruned. One run each.",
    ),
    "renda-repro-networks": Description(
        title="ResNet-20, 56 and 110 and WRN-16-8, dense: sizes, accuracies, training times",
        source="Comparing Rewinding and Fine-tuning in Neural Network Pruning, Reproducibility Challenge 2021, "
        "Tables 1, 2 and 4",
        warning="Times are of one training on one RTX 3080 in TensorFlow 2.4.2, given there in minutes and here in "
        "seconds. Sizes are counted for ten classes, on CIFAR-100 too. The number of runs behind an accuracy is "
        "not given.",
    ),
    "renda-repro-resnet110": Description(
        title="ResNet-110 on CIFAR-10 at 89.3 %: fine-tuning and two rewindings, one-shot",
        source="Comparing Rewinding and Fine-tuning in Neural Network Pruning, Reproducibility Challenge 2021, Table 5",
        warning="Medians of 2 to 12 runs; neither their number nor the step that weights are rewound to is given.",
    ),
    "renda2020-dense": Description(
        title="ResNet-20, 34, 50, 56 and 110 and VGG-16, dense",
        source="Renda, Frankle and Carbin (2020), Comparing Rewinding and Fine-tuning in Neural Network Pruning: the "
        "authors' trial data",
        warning="top1 is the mean over n runs; validation, a mean here, is of images held out from the test set.",
    ),
    "renda2020-retraining": Description(
        title="Five ways to retrain after magnitude pruning: five ResNets, one-shot and iterative, by density",
        source="Renda, Frankle and Carbin (2020), Comparing Rewinding and Fine-tuning in Neural Network Pruning: the "
        "authors' trial data",
        warning="Best of several retraining times at each density, chosen by median validation accuracy: "
        "retrain_epochs has it (of 182 for CIFAR-10). top1 is the mean of three runs, the paper plots the median. "
        "Channels are pruned by hand-chosen rates per layer (scope structured-a and structured-b) that are not given; "
        "low-lr-weight-rewind is no retraining of ours.",
    ),
    "tanaka2020-figure6": Description(
        title="Five criteria at initialization: 12 pairs of network and data set, 13 compressions up to 1000",
        source="Tanaka, Kunin, Yamins and Ganguli (2020), Pruning neural networks without any data by iteratively "
        "conserving synaptic flow, Figure 6: the authors' result files",
        warning="top1 is the mean of three runs, all of them given. SNIP and GraSP were scored with BatchNorm in "
        "evaluation. On CIFAR the VGGs are the lottery-ticket form; the "
        "VGGs on TinyImageNet, all ResNets and wide-resnet-18 are the authors' TinyImageNet classes, which differ "
        "from ours. The dense rows were trained again for every criterion.",
    ),
    "atlas-digits": Description(
        title="Every included criterion on tiny-cnn and digits: at initialization, and after training with lr-rewind",
        source="prunectl itself: studies/atlas/digits.toml, five seeds, on one core of an AMD EPYC, torch 2.14.1",
        warning=ELSEWHERE,
    ),
    "atlas-mnist": Description(
        title="Every included criterion on LeNet-300-100, MNIST: at initialization, and after training with lr-rewind",
        source="prunectl itself: studies/atlas/mnist.toml, three seeds, on two cores of an AMD EPYC, torch 2.14.1",
        warning=ELSEWHERE,
    ),
}


ATLAS = "atlas-"
"""How the tables begin that hold every included criterion on one network, in one recipe."""


def names() -> list[str]:
    """The published tables, by paper."""
    return list(TABLES)


def describe(name: str, folder: Path | None = None) -> Description:
    """Title, source and warning of a table; a file is read for it, so that what is wrong with it is reported.

    The path of a file begins in `folder`. Its source is the path as it was written, without the folders of a machine.
    Raises PrunectlError, with the nearest name, for one that is not there.
    """
    if name.startswith(FILE):
        read(name, folder)
        written = name.removeprefix(FILE)
        source = short(name) if PurePath(written).is_absolute() or written.startswith("~") else written
        return Description(title=short(name), source=source, warning="")
    found = TABLES.get(name)
    if found is None:
        near = did_you_mean(name, TABLES, "'{}'")
        file = f"a file is written {FILE}{visible(name)}" if name.endswith(".csv") else None
        raise PrunectlError(
            f"no published table {visible(name)!r}; there are {', '.join(TABLES)}, and {FILE}FILE.csv",
            hint=file or near,
        )
    return found


def short(name: str) -> str:
    """What charts and tables call a published table: a file without its folders."""
    return PurePath(name.removeprefix(FILE)).name if name.startswith(FILE) else name
