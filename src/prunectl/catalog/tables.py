"""The catalogues: name → where the entry lives. Literal, greppable, and imported only when asked for.

A third party adds an entry through an entry point of the group `prunectl.<catalogue>`; the same rules apply to it.
A name of our own cannot be taken over. `lookup.py` gives the class behind a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prunectl.catalog.referenced import PATTERN

CRITERIA: Mapping[str, str] = {
    "random": "prunectl.pruning.criteria.random:Random",
    "magnitude": "prunectl.pruning.criteria.magnitude:Magnitude",
    "gradient": "prunectl.pruning.criteria.gradient:Gradient",
    "activation": "prunectl.pruning.criteria.activation:Activation",
    "snip": "prunectl.pruning.criteria.snip:Snip",
    "snip-iterative": "prunectl.pruning.criteria.snip_iterative:SnipIterative",
    "force": "prunectl.pruning.criteria.force:Force",
    "grasp": "prunectl.pruning.criteria.grasp:Grasp",
    "grasp-magnitude": "prunectl.pruning.criteria.grasp_magnitude:GraspMagnitude",
    "synflow": "prunectl.pruning.criteria.synflow:SynFlow",
    "lamp": "prunectl.pruning.criteria.lamp:Lamp",
    "lap": "prunectl.pruning.criteria.lap:Lap",
    "obd": "prunectl.pruning.criteria.obd:Obd",
    "fisher": "prunectl.pruning.criteria.fisher:Fisher",
    "obs": "prunectl.pruning.criteria.obs:Obs",
    "l1-norm": "prunectl.pruning.criteria.filter_norm:L1Norm",
    "l2-norm": "prunectl.pruning.criteria.filter_norm:L2Norm",
    "fpgm": "prunectl.pruning.criteria.fpgm:Fpgm",
    "bn-scale": "prunectl.pruning.criteria.bn_scale:BnScale",
    "taylor": "prunectl.pruning.criteria.taylor:Taylor",
    "channel-activation": "prunectl.pruning.criteria.channel_activation:ChannelActivation",
}

SCOPES: Mapping[str, str] = {
    "global": "prunectl.pruning.scopes.global_:Global",
    "layerwise": "prunectl.pruning.scopes.layerwise:Layerwise",
    "uniform": "prunectl.pruning.scopes.layerwise:Uniform",
    "uniform+": "prunectl.pruning.scopes.uniform_plus:UniformPlus",
    "erk": "prunectl.pruning.scopes.erk:Erk",
    "er": "prunectl.pruning.scopes.er:Er",
    "lamp": "prunectl.pruning.scopes.lamp:LampAllocation",
    "rates": "prunectl.pruning.scopes.rates:Rates",
}

ROUNDS: Mapping[str, str] = {
    "one-shot": "prunectl.pruning.rounds.one_shot:OneShot",
    "exponential": "prunectl.pruning.rounds.exponential:Exponential",
    "linear": "prunectl.pruning.rounds.linear:Linear",
    "iterative": "prunectl.pruning.rounds.iterative:Iterative",
    "gradual": "prunectl.pruning.rounds.gradual:Gradual",
    "set": "prunectl.pruning.rounds.set_:SetRounds",
    "rigl": "prunectl.pruning.rounds.rigl:Rigl",
}

STRUCTURES: Mapping[str, str] = {
    "weights": "prunectl.pruning.structures.weights:Weights",
    "channels": "prunectl.pruning.structures.channels:Channels",
    "n-of-m": "prunectl.pruning.structures.n_of_m:NOfM",
}

ABLATIONS: Mapping[str, str] = {
    "none": "prunectl.pruning.ablations.none:Unmodified",
    "shuffle": "prunectl.pruning.ablations.shuffle:Shuffle",
    "shuffle-global": "prunectl.pruning.ablations.shuffle_global:ShuffleGlobal",
    "reinit": "prunectl.pruning.ablations.reinit:Reinit",
    "invert": "prunectl.pruning.ablations.invert:Invert",
}

MODELS: Mapping[str, str] = {
    "tiny-cnn": "prunectl.models.tiny:TinyCnn",
    "lenet-300-100": "prunectl.models.lenet:LeNet300",
    "lenet-5": "prunectl.models.lenet:LeNet5",
    "mnist-cnn": "prunectl.models.lenet:MnistCnn",
    "vgg11": "prunectl.models.vgg:Vgg11",
    "vgg16": "prunectl.models.vgg:Vgg16",
    "vgg19": "prunectl.models.vgg:Vgg19",
    "resnet-20": "prunectl.models.resnet:ResNet20",
    "resnet-32": "prunectl.models.resnet:ResNet32",
    "resnet-44": "prunectl.models.resnet:ResNet44",
    "resnet-56": "prunectl.models.resnet:ResNet56",
    "resnet-110": "prunectl.models.resnet:ResNet110",
    "wrn-16-8": "prunectl.models.resnet:WideResNet16x8",
    "resnet-18": "prunectl.models.resnet:ResNet18",
    "resnet-34": "prunectl.models.resnet:ResNet34",
    "resnet-50": "prunectl.models.resnet:ResNet50",
    "resnet-12": "prunectl.models.resnet:ResNet12",
    "preact-resnet-20": "prunectl.models.resnet:PreactResNet20",
    "preact-resnet-56": "prunectl.models.resnet:PreactResNet56",
    "preact-resnet-18": "prunectl.models.resnet:PreactResNet18",
    "mobilenet-v2": "prunectl.models.mobile:MobileNetV2",
    "efficientnet-b0": "prunectl.models.mobile:EfficientNetB0",
}

DATASETS: Mapping[str, str] = {
    "digits": "prunectl.datasets.digits:Digits",
    "mnist": "prunectl.datasets.mnist:Mnist",
    "fashion-mnist": "prunectl.datasets.mnist:FashionMnist",
    "cifar10": "prunectl.datasets.cifar:Cifar10",
    "cifar100": "prunectl.datasets.cifar:Cifar100",
    "tiny-imagenet": "prunectl.datasets.imagenet:TinyImageNet",
    "image-folder": "prunectl.datasets.pictures:ImageFolder",
    "imagenet": "prunectl.datasets.imagenet:ImageNet",
}

AUGMENTATIONS: Mapping[str, str] = {
    "pad-crop": "prunectl.training.augmentations.pad_crop:PadCrop",
    "flip": "prunectl.training.augmentations.flip:Flip",
    "random-resized-crop": "prunectl.training.augmentations.random_resized_crop:RandomResizedCrop",
}

OPTIMIZERS: Mapping[str, str] = {
    "sgd": "prunectl.training.optimizers.sgd:Sgd",
    "adam": "prunectl.training.optimizers.adam:Adam",
    "adamw": "prunectl.training.optimizers.adamw:AdamW",
    "rmsprop": "prunectl.training.optimizers.rmsprop:RmsProp",
}

SCHEDULES: Mapping[str, str] = {
    "constant": "prunectl.training.schedules.constant:Constant",
    "step": "prunectl.training.schedules.step:Step",
    "cosine": "prunectl.training.schedules.cosine:Cosine",
    "linear": "prunectl.training.schedules.linear:Linear",
    "cyclic": "prunectl.training.schedules.cyclic:Cyclic",
}

METRICS: Mapping[str, str] = {
    "top1": "prunectl.training.metrics.top1:Top1",
    "top1_train": "prunectl.training.metrics.top1_train:Top1Train",
    "top1_validation": "prunectl.training.metrics.top1_validation:Top1Validation",
    "top5": "prunectl.training.metrics.top5:Top5",
    "loss": "prunectl.training.metrics.loss:Loss",
    "ece": "prunectl.training.metrics.ece:Ece",
    "matching_sparsity": "prunectl.training.metrics.matching_sparsity:MatchingSparsity",
}

LIBRARIES: Mapping[str, str] = {
    "torchvision": "prunectl.models.from_torchvision:named",
    "timm": "prunectl.models.from_timm:named",
}
"""What builds networks by name, "timm:NAME": the function that gives the entry class of NAME."""

EXECUTORS: Mapping[str, str] = {
    "local": "prunectl.execute.local:Local",
    "ray": "prunectl.execute.on_ray:Ray",
    "slurm": "prunectl.execute.slurm:Slurm",
}

TRACKERS: Mapping[str, str] = {
    "tensorboard": "prunectl.report.trackers.tensorboard:TensorBoard",
    "wandb": "prunectl.report.trackers.wandb:Wandb",
    "mlflow": "prunectl.report.trackers.mlflow:Mlflow",
    "trackio": "prunectl.report.trackers.trackio:Trackio",
}

RETRAININGS: Mapping[str, str] = {
    "none": "prunectl.training.retrainings.none:NoRetraining",
    "recalibrate": "prunectl.training.retrainings.recalibrate:Recalibrate",
    "finetune": "prunectl.training.retrainings.finetune:Finetune",
    "weight-rewind": "prunectl.training.retrainings.weight_rewind:WeightRewind",
    "lr-rewind": "prunectl.training.retrainings.lr_rewind:RateRewind",
    "rewind": "prunectl.training.retrainings.rewind:Rewind",
}


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One catalogue: what one of its entries is called, the class that all of them are, and our own entries."""

    one: str
    kind: str
    entries: Mapping[str, str]
    bare: bool = False
    """Whether every entry is used, without parameters, in every study."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """What gives entries by a name that follows a colon: the library → 'module:function'."""
    in_files: bool = True
    """Whether a study may name one in a file of its own, "file:FILE.py:CLASS"."""

    @property
    def patterns(self) -> Mapping[str, str]:
        """The names that are not listed: regular expressions, each with what it names."""
        named = {f"^{library}:.+$": f"{self.one} of {library}: {library}:NAME" for library in self.libraries}
        return {**named, **({PATTERN: f"{self.one} in a file: file:FILE.py:CLASS"} if self.in_files else {})}


CATALOGS: Mapping[str, Catalog] = {
    "criteria": Catalog(one="criterion", kind="prunectl.catalog.criterion:Criterion", entries=CRITERIA),
    "scopes": Catalog(one="scope", kind="prunectl.catalog.scope:Scope", entries=SCOPES),
    "structures": Catalog(one="structure", kind="prunectl.catalog.structure:Structure", entries=STRUCTURES),
    "rounds": Catalog(one="kind of rounds", kind="prunectl.catalog.rounds:Rounds", entries=ROUNDS),
    "ablations": Catalog(one="ablation", kind="prunectl.catalog.ablation:Ablation", entries=ABLATIONS),
    "models": Catalog(one="model", kind="prunectl.catalog.model:Model", entries=MODELS, libraries=LIBRARIES),
    "datasets": Catalog(one="data set", kind="prunectl.catalog.dataset:Dataset", entries=DATASETS),
    "augmentations": Catalog(
        one="augmentation", kind="prunectl.catalog.augmentation:Augmentation", entries=AUGMENTATIONS
    ),
    "optimizers": Catalog(one="optimizer", kind="prunectl.catalog.optimizer:Optimizer", entries=OPTIMIZERS),
    "schedules": Catalog(one="schedule", kind="prunectl.catalog.schedule:Schedule", entries=SCHEDULES),
    "metrics": Catalog(one="metric", kind="prunectl.catalog.metric:Metric", entries=METRICS, bare=True, in_files=False),
    "retrainings": Catalog(
        one="kind of retraining", kind="prunectl.catalog.retraining:Retraining", entries=RETRAININGS
    ),
    "executors": Catalog(one="executor", kind="prunectl.catalog.executor:Executor", entries=EXECUTORS, in_files=False),
    "trackers": Catalog(one="tracker", kind="prunectl.catalog.tracker:Tracker", entries=TRACKERS, in_files=False),
}
