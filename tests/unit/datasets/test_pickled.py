"""Pickles are read without running anything that they ask for."""

from __future__ import annotations

import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunectl.datasets.pickled import unpickle
from unit.datasets.fakes import python2_pickle, random_arrays


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_dictionary_of_arrays_and_lists_is_read(protocol: int, order: str) -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    values = np.asfortranarray(values) if order == "F" else values
    table = unpickle(pickle.dumps({"data": values, b"labels": [1, 2], "size": 2}, protocol=protocol))
    assert table["labels"] == [1, 2]
    assert table["size"] == 2
    assert np.array_equal(table["data"], values)


def test_what_python_2_wrote_is_read() -> None:
    arrays = random_arrays(10, 5, (3, 32, 32))
    table = unpickle(python2_pickle(arrays.test_images, arrays.test_labels, "labels"))
    assert table["labels"] == arrays.test_labels.tolist()
    assert np.array_equal(table["data"], arrays.test_images.reshape(5, -1))


def test_an_array_of_anything_but_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="an array of type"):
        unpickle(pickle.dumps({"data": np.zeros(3)}, protocol=4))


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\ngetattr\n(tR.",
        b"cnumpy\nload\n(tR.",
        b"cnumpy\ndtype\n(S'O'\nK\x00K\x01tR.",  # an array of objects
        b"cnumpy\nndarray\n(tR(K\x01(K\x09tcnumpy\ndtype\n(S'u1'\ntR\x89S'short'\ntb.",  # 5 bytes for 9
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x82\x01.",  # an extension code
        b"Pname\n.",  # a persistent name
        b"]q\x01.",  # a list
        b"",
    ],
)  # fmt: skip
def test_nothing_but_containers_and_bytes_is_unpickled(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"refused|broken|type|bytes|dictionary|extension"):
        unpickle(content)


def test_tuples_nested_so_deeply_that_they_would_end_the_process_are_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        unpickle(b"\x80\x04})" + b"\x85" * 300_000 + b"K\x01s.")


def test_lists_in_lists_are_refused_by_their_number() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        unpickle(b"\x80\x04}(K\x01" + b"]" * 100_000 + b"u.")


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
def test_a_memo_that_would_fill_the_memory_is_refused(put: bytes) -> None:
    with pytest.raises(ValueError, match="memo"):
        unpickle(b"}" + put + b".")


@given(st.binary(max_size=60), st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_damage_is_an_error_and_nothing_else(noise: bytes, at: int) -> None:
    arrays = random_arrays(10, 5, (3, 32, 32))
    content = python2_pickle(arrays.test_images, arrays.test_labels, "labels")
    with suppress(ValueError):
        unpickle(content[:at] + noise + content[at + len(noise) :])
