"""Memory for packed weights: arrays of their own, aligned, alive as long as somebody holds them."""

from __future__ import annotations

import gc
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.graph import slabs
from workbench.graph.slabs import ALIGN, SLAB_BYTES, empty
from workbench.graph.symbolic.array import wrap
from workbench.graph.symbolic.tape import Tape

SHAPES = st.lists(st.integers(0, 40), min_size=0, max_size=3)


@given(st.lists(st.tuples(SHAPES, st.sampled_from(["float32", "int8", "float64"])), max_size=8))
def test_arrays_of_their_own(wanted: list[tuple[list[int], str]]) -> None:
    made = [empty(shape, np.dtype(kind)) for shape, kind in wanted]
    for n, (array, (shape, kind)) in enumerate(zip(made, wanted, strict=True)):
        assert array.shape == tuple(shape)
        assert array.dtype == kind
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % ALIGN == 0 or not array.size
        array[...] = n
    for a, b in combinations(made, 2):
        assert not np.shares_memory(a, b)
    for n, array in enumerate(made):
        assert (array == n).all()


def test_no_place_is_used_twice() -> None:
    kept = empty((1000,), np.dtype("float32"))
    kept[...] = 7
    for _ in range(3 * SLAB_BYTES // 2**20):
        empty((2**20,), np.dtype("int8"))[...] = 1
    gc.collect()
    assert (kept == 7).all()


def test_large_arrays_have_memory_of_their_own() -> None:
    assert empty((SLAB_BYTES,), np.dtype("int8")).base is None


def test_a_traced_shape_leaves_plain_numbers_behind() -> None:
    count = Tape(wrap).input(5)
    first = empty((count, 3), np.dtype("float32"))
    assert first.shape == (5, 3)
    assert type(slabs._SLABS.used) is int
    assert not np.shares_memory(first, empty((5, 3), np.dtype("float32")))
