"""Not a byte of a sealed document can change unnoticed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.store.sealed import seal, unseal

BODY: dict[str, Any] = {"step": 4, "loss": 0.1 + 0.2, "name": "é\n", "more": [None, True, {"10": 1, "2": -0.0}]}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "digest"), VALUES, max_size=4))
def test_what_is_sealed_comes_back(body: dict[str, Any]) -> None:
    assert unseal(seal(body)) == body


@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "digest"), VALUES, max_size=4))
def test_a_sealed_document_is_the_text_that_json_writes(body: dict[str, Any]) -> None:
    data = seal(body)
    assert data == (json.dumps(json.loads(data), indent=1, ensure_ascii=False) + "\n").encode()


def test_numbers_as_keys_and_tuples_come_back_as_json_has_them() -> None:
    assert unseal(seal({"points": {10: (1, 2), 2: ()}})) == {"points": {"10": [1, 2], "2": []}}


def test_every_changed_byte_is_noticed() -> None:
    data = seal(BODY)
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(ValueError, match=r"cannot be read|was changed"):
                unseal(bytes(changed))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"null", b"7", b'"digest"', b'{"digest": []}', b"[" * 100_000, b"\xff", seal(BODY)[:-1],
        seal(BODY) + b" ", b" " + seal(BODY), seal(BODY) * 2, json.dumps(json.loads(seal(BODY))).encode(),
    ],
)  # fmt: skip
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|was changed"):
        unseal(data)
