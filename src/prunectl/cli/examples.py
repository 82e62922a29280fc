"""The examples at the end of each `--help`, without the word `prunectl`, by command."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "new my-study",
        "run my-study.toml",
        "report my-study.toml --open",
    ),
    "run": (
        "run smoke",
        "run frankle-vgg16 --download --device cuda",
        "run my-study.toml --only criterion=snip,sparsity=0.9",
        "run my-study.toml --set train.epochs=2 --until 2h",
    ),
    "plan": ("plan frankle-vgg16", "plan my-study.toml --check"),
    "train": ("train my-study.toml",),
    "prune": ("prune my-study.toml --only criterion=synflow,sparsity=0.9",),
    "ablate": ("ablate my-study.toml --only ablation=shuffle",),
    "retrain": ("retrain my-study.toml --only seed=1",),
    "report": (
        "report --open",
        "report my-study.toml --format latex --output table.tex",
        "report my-study.toml --format svg --chart top1-sparsity",
        "report my-study.toml --watch",
    ),
    "log": ("log snip", "log 3f2a90", "log 'snip · at init · shuffle' my-study.toml"),
    "export": ("export my-study.toml --only criterion=snip,sparsity=0.9,seed=1",),
    "compare": (
        "compare my-study.toml published:comp6258-figure1",
        "compare mine/table.csv theirs/table.csv --open",
    ),
    "list": ("list", "list criteria", "list models resnet-20", "list studies", "list published comp6258-figure1"),
    "schema": ("schema > study.schema.json",),
    "new": ("new my-study", "new my-vgg --from comp6258-vgg16"),
    "doctor": ("doctor",),
    "data": ("data ls", "data get cifar10"),
    "data ls": ("data ls", "data ls --data /datasets"),
    "data get": ("data get mnist", "data get cifar10 --data /datasets"),
    "cache": ("cache ls", "cache runs", "cache gc --dry-run"),
    "cache ls": ("cache ls",),
    "cache show": ("cache show 3f2a90",),
    "cache verify": ("cache verify",),
    "cache runs": ("cache runs",),
    "cache rm": ("cache rm 3f2a90",),
    "cache gc": ("cache gc --dry-run", "cache gc my-study.toml"),
    "cache export": ("cache export my-study.tar.gz my-study.toml",),
    "cache import": ("cache import my-study.tar.gz",),
    "cache push": ("cache push my-study.toml --to s3://bucket/store",),
    "cache pull": ("cache pull my-study.toml --from s3://bucket/store",),
}
