"""Files of weights: what they hold, and the digest of that. Read without torch, and nothing is executed.

A file of safetensors is known by its tensors, one of `torch.save` by its bytes.

The format: 8 bytes with the length of a header, the header in JSON, and the bytes of all tensors.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

from prunectl.base.errors import PrunectlError
from prunectl.base.keys import canonical
from prunectl.base.text import visible

LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the format's own library."""
CHUNK = 1 << 20
METADATA = "__metadata__"
SAVE = 'from safetensors.torch import save_file; save_file({}, "FILE.safetensors")'
PART = "write the part that has them, under its KEY: " + SAVE.format('torch.load("FILE.pt", weights_only=True)["KEY"]')
"""What to do with a file that can be read, and is no state_dict."""
OBJECTS = (
    "it holds objects besides tensors, such as a whole module: where its code is trusted, load it "
    '(model = torch.load("FILE.pt", weights_only=False)) and save its state_dict: ' + SAVE.format("model.state_dict()")
)
DAMAGED = "the file is damaged or holds something else: get it again, or save a state_dict: " + SAVE.format(
    "model.state_dict()"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""The escape sequences of bold and coloured text in a terminal."""
_FOREIGN = re.compile(r"global|allowlist|unrecognized|whose module", re.IGNORECASE)
"""What the reader's own texts have where it meets an object that is no tensor."""


class WeightsError(PrunectlError):
    """A file of weights that is missing, cannot be read, or does not hold what was expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One tensor of a file: its type (`F32`), its shape, and where its bytes are in the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def digest_of(path: Path) -> str:
    """SHA-256 of the tensors of a file, in hex: their names, types, shapes and bytes. Of a pickled file, of its bytes.

    Neither the order of the tensors nor the metadata of the file is part of it. Raises WeightsError.
    """
    try:
        if not path.is_file():
            missing = "is not a file" if path.exists() else "does not exist"
            raise WeightsError(f"{visible(str(path))} {missing}")
        with path.open("rb") as file:
            if pickled(file.read(9)):
                file.seek(0)
                return hashlib.file_digest(file, "sha256").hexdigest()
            return _digest(file, visible(str(path)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WeightsError(f"{visible(str(path))} cannot be read: {reason}") from None


def checked(path: Path, digest: str) -> bytes:
    """The bytes of a file whose tensors have this digest. Raises WeightsError if they have another one by now."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{visible(str(path))} cannot be read: {error.strerror}") from None
    if _digest_of(content, visible(str(path))) != digest:
        hint = "run the same command again: it plans with the weights that the file has now"
        raise WeightsError(f"the weights in {visible(str(path))} have changed since the study was read", hint=hint)
    return content


def refuse_code(path: Path) -> None:
    """Raise WeightsError for a file that is missing, or that could be read only by running code that it holds.

    What a library reads after this is harmless, however it reads it. numpy reads arrays from a file that is called
    .npz, and refuses whatever else it holds.
    """
    try:
        with path.open("rb") as file:
            if path.suffix == ".npz" or not pickled(file.read(9)):
                return
    except OSError as error:
        raise WeightsError(f"{visible(str(path))} cannot be read: {error.strerror}") from None
    unpickled(path.read_bytes(), path)


def unpickled(content: bytes, path: Path) -> Any:
    """What a file of `torch.save` holds, read by a reader that builds tensors and runs nothing. Raises WeightsError."""
    import torch

    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # the reader raises whatever it meets in a damaged file
        foreign, reason = _why(error)
        how = " without running code" if foreign else ""
        message = f"{visible(str(path))} cannot be read{how}: {reason}"
        raise WeightsError(message, hint=OBJECTS if foreign else DAMAGED) from None


def _why(error: Exception) -> tuple[bool, str]:
    """Whether a file could not be read for objects that are no tensors, and the reason, without torch's own advice."""
    cause = error.__context__ if isinstance(error, UnpicklingError) else None
    plain = " ".join(_COLOURS.sub("", str(cause or error)).split())
    reason = plain.partition(". Please use")[0].partition(". This is an internal")[0][:200]
    if isinstance(error, UnpicklingError):
        return _FOREIGN.search(plain) is not None, visible(reason)
    return False, visible(reason if isinstance(error, RuntimeError) else f"{type(error).__name__}: {reason}")


def pickled(start: bytes) -> bool:
    """Whether a file that begins with these 9 bytes was written by `torch.save`.

    A length of a header may begin like a pickle, and what follows it is a "{".
    """
    return start[8:9] != b"{" and (start[:2] == b"PK" or start[:1] == b"\x80")


def _digest_of(content: bytes, name: str) -> str:
    return hashlib.sha256(content).hexdigest() if pickled(content[:9]) else _digest(io.BytesIO(content), name)


def _digest(file: BinaryIO, name: str) -> str:
    total = hashlib.sha256()
    for tensor, stored in sorted(_tensors(file, name).items()):
        total.update(canonical([tensor, stored.dtype, stored.shape]).encode() + b"\n")
        file.seek(stored.begin)
        left = stored.end - stored.begin
        while left:
            piece = file.read(min(CHUNK, left))
            if not piece:
                raise WeightsError(f"{name} ends before its tensors do: it is not complete")
            total.update(piece)
            left -= len(piece)
    return total.hexdigest()


def _tensors(file: BinaryIO, name: str) -> dict[str, Stored]:
    """What the header of a file lists. Raises WeightsError."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(8)
    length = int.from_bytes(start, "little")
    text = file.read(length) if length <= min(size - 8, LONGEST_HEADER) else b""
    if not text.startswith(b"{"):
        raise WeightsError(f"{name} is not a safetensors file, and no file of torch.save", hint=DAMAGED)
    try:
        header = json.loads(text)
        return {tensor: stored for tensor, stored in _listed(header, 8 + length) if stored.end <= size or _cut(name)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WeightsError(f"{name} is not a safetensors file: its header cannot be read", hint=DAMAGED) from None


def _cut(name: str) -> bool:
    raise WeightsError(f"{name} ends before its tensors do: it is not complete")


def _listed(header: Mapping[str, Any], data: int) -> Iterator[tuple[str, Stored]]:
    for tensor, given in header.items():
        if tensor == METADATA:
            continue
        begin, end = given["data_offsets"]
        shape, dtype = tuple(given["shape"]), given["dtype"]
        numbers = (*shape, begin, end)
        if any(type(number) is not int or number < 0 for number in numbers) or end < begin or type(dtype) is not str:
            raise ValueError(tensor)
        if math.prod(shape) == 0 and end > begin:
            raise ValueError(tensor)
        yield tensor, Stored(dtype=dtype, shape=shape, begin=data + begin, end=data + end)
