"""CIFAR's Python files are pickles, and a pickle may run any code. This reads them without running any.

Only dictionaries, lists, tuples, strings and numbers are built, and arrays of bytes, which classes of this module
build in place of the three names that numpy's arrays use. Any other name in the file is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BUILDING = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE", "LIST", "EMPTY_LIST", "DICT", "EMPTY_DICT",
            "EMPTY_SET", "FROZENSET", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"}  # fmt: skip
"""The opcodes that build something out of other things. CIFAR's files have about thirty."""
MOST_BUILT = 500
MEMO = {"PUT", "BINPUT", "LONG_BINPUT"}
MOST_MEMO = 1_000_000
"""CIFAR's files number what they hold, file names included: about 20,000."""


def unpickle(content: bytes) -> dict[str, Any]:
    """The dictionary in a pickle of Python 2 or 3, its arrays uint8. Raises ValueError for any other content."""
    try:
        _check(content)
        table = _Restricted(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(table, dict):
            raise ValueError("no dictionary")
        return {_text(key): _unwrapped(value) for key, value in table.items()}
    except ValueError:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise ValueError(f"broken pickle: {error}") from error


def _check(content: bytes) -> None:
    """Raise ValueError for what would exhaust the memory or the stack of the unpickler, before it begins.

    It is written in C: it makes room for every place of its memo up to the highest, and tuples that are nested deeply
    enough end the process when they are hashed or deleted.
    """
    built = 0
    for opcode, argument, _ in _opcodes(content):
        built += opcode.name in BUILDING
        if built > MOST_BUILT:
            raise ValueError("it is nested too deeply, or has too many parts")
        if opcode.name in MEMO and int(argument) > MOST_MEMO:
            raise ValueError("its memo is too large")


def _opcodes(content: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int | None]]:
    try:
        yield from pickletools.genops(content)
    except ValueError as error:
        raise ValueError(f"broken pickle: {error}") from error


class _DType:
    """Replaces numpy.dtype: only unsigned bytes."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if _text(code) not in ("u1", "|u1"):
            raise ValueError(f"an array of type {code!r}")

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, which mean nothing for single bytes."""


class _Array:
    """Replaces numpy.ndarray while the pickle is read."""

    def __init__(self, *_: object) -> None:
        self.values: np.ndarray[Any, np.dtype[np.uint8]] | None = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], _DType, bool, bytes]) -> None:
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, _DType):
            raise ValueError("an array without a type")
        if not isinstance(content, bytes) or len(content) != math.prod(shape):
            raise ValueError(f"not the bytes for an array of {' x '.join(map(str, shape))}")
        self.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")


_NAMES: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """A class of this module for a known name. Raises ValueError for any other."""
        if (module, name) not in _NAMES:
            raise ValueError(f"the pickle asks for {module}.{name}, which is refused")
        return _NAMES[module, name]


def _text(key: object) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)


def _unwrapped(value: object) -> object:
    return value.values if isinstance(value, _Array) else value
