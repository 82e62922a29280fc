"""Putting, finding and verifying artefacts in the store, against files that are only written, in the same run.

    pip install -e .
    python bench/store.py [--artefacts 10000] [--kilobytes 32] [--repeats 3] [--folder DIR]

Each artefact has one file of random bytes. The other way is what a script does: one file for each result, named after
its parameters, once just written, and once with fsync. Only the store survives a power cut, knows the digest of each
file, and shows nothing that is not complete. Everything lies in DIR (default: the system's folder for temporary files),
whose file system decides what fsync takes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from prunectl.store.local import LocalStore
from prunectl.store.manifest import Made

MADE = Made(
    wall_s=0.0, cpu_s=0.0, peak_bytes=0, device="cpu", hardware="bench", versions={}, created="2026-01-01T00:00:00Z"
)


def preimages(count: int) -> dict[str, str]:
    """Keys, and what they are digests of."""
    texts = [f'{{"kind":"bench","number":{number}}}' for number in range(count)]
    return {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}


def put(folder: Path, names: Mapping[str, str], content: bytes) -> None:
    """Every artefact as a step leaves it: built in a folder of its own, then put."""
    store = LocalStore(folder / "store").open()
    built = folder / "built"
    for key, preimage in names.items():
        built.mkdir()
        (built / "content").write_bytes(content)
        store.put(key, preimage, built, MADE)


def written(folder: Path, names: Mapping[str, str], content: bytes, *, sync: bool) -> None:
    """Every result as one file."""
    folder.mkdir()
    for name in names:
        with (folder / name).open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())


def verified(store: LocalStore, names: Mapping[str, str]) -> None:
    """Compare every byte with its digest. Raises DamagedError."""
    for key in names:
        store.check(key)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def once(names: Mapping[str, str], content: bytes, place: Path | None) -> dict[str, float]:
    """Seconds of each thing, for all artefacts together."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        seconds = {
            "files, written": timed(lambda: written(folder / "plain", names, content, sync=False)),
            "files, with fsync": timed(lambda: written(folder / "synced", names, content, sync=True)),
            "store: put": timed(lambda: put(folder, names, content)),
        }
        store = LocalStore(folder / "store").open()
        seconds["store: list"] = timed(lambda: list(store.keys()))
        seconds["store: is it there"] = timed(lambda: [store.has(key) for key in names])
        seconds["store: verify all bytes"] = timed(lambda: verified(store, names))
        return seconds


def main() -> None:
    """A line for each thing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artefacts", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    names, content = preimages(asked.artefacts), os.urandom(1024 * asked.kilobytes)
    runs = [once(names, content, asked.folder) for _ in range(asked.repeats)]
    print(f"{asked.artefacts:,} artefacts of {asked.kilobytes} kB, medians of {asked.repeats}")
    for what in runs[0]:
        seconds = median(run[what] for run in runs)
        print(f"{what:<26}{seconds:>9.2f} s{1e3 * seconds / asked.artefacts:>10.3f} ms each")


if __name__ == "__main__":
    main()
