"""What decides the last bits of an artefact besides its key: the class of the hardware, and the number of threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from prunectl.base.text import and_list, plural

CPU = "cpu"


@dataclass(frozen=True, kw_only=True)
class HardwareClass:
    """Two steps of one key have the same bits if they were done on the same class.

    `device` is a path from the general to the particular: "cpu/x86_64/AVX512/GenuineIntel", "cuda/Tesla T4". An
    artefact that was made before this was recorded has only the beginning of it.
    """

    device: str
    threads: int | None = None
    """Of the processor; None on a GPU, where they decide nothing, and where they were not recorded."""

    @property
    def label(self) -> str:
        """For people."""
        return self.device if self.threads is None else f"{self.device} with {plural(self.threads, 'thread')}"

    def may_be(self, other: HardwareClass) -> bool:
        """Whether nothing that is known of both differs."""
        short, long = sorted((self.device, other.device), key=len)
        same_device = long == short or long.startswith(f"{short}/")
        return same_device and (None in (self.threads, other.threads) or self.threads == other.threads)


def counted(classes: Iterable[HardwareClass]) -> dict[HardwareClass, int]:
    """How many artefacts were made on each class, the most frequent first."""
    return dict(sorted(Counter(classes).items(), key=lambda item: (-item[1], item[0].label)))


def mixture(counts: Mapping[HardwareClass, int]) -> str:
    """A sentence if the artefacts of one table were made on classes that are known to differ, else nothing."""
    if all(one.may_be(other) for one, other in combinations(counts, 2)):
        return ""
    return (
        f"The steps were made on different hardware or numbers of threads: {listed(counts)}. "
        "This can change results in their last bits, and training can amplify such a difference."
    )


def listed(counts: Mapping[HardwareClass, int]) -> str:
    """'12 on cpu/x86_64/AVX2 with 1 thread and 3 on cuda/Tesla T4'."""
    return and_list([f"{count:,} on {of.label}" for of, count in counts.items()])
