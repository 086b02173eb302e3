"""What calls tell, and what of it is traced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.graph.recording import Recording
from workbench.graph.symbolic.tape import traced
from workbench.graph.tensor import Tensor
from workbench.graph.told import FEW, Told
from workbench.ir.types import Dim, f32

ARRAYS = st.one_of(
    hnp.arrays(
        st.sampled_from("? i1 u1 i2 i4 i8 u8 f2 f4 f8".split()),
        hnp.array_shapes(min_dims=0, min_side=0, max_side=9),
    ),
    st.lists(st.text(max_size=3), max_size=4).map(lambda words: np.array(words, object)),
)


@given(st.lists(ARRAYS, max_size=3))
def test_values_are_told_bit_by_bit(arrays: list[np.ndarray]) -> None:
    told = Told.values(arrays)
    for given_, again in zip(arrays, told.arrays, strict=True):
        assert (again.dtype, again.shape) == (given_.dtype, given_.shape)
        if given_.dtype == object:
            assert again.tolist() == given_.tolist()
        else:
            assert again.tobytes() == given_.tobytes()
    few = [a for a in arrays if a.dtype.kind in "iu" and a.size <= FEW]
    assert len(told.numbers) == len(list(told.sizes)) == sum(a.size for a in few)
    assert told == Told.values([a.copy() for a in arrays])
    assert hash(told) == hash(Told.values([a.copy() for a in arrays]))


@given(st.lists(ARRAYS, max_size=3), st.lists(ARRAYS, max_size=3))
def test_what_is_told_differs_where_arrays_do(a: list[np.ndarray], b: list[np.ndarray]) -> None:
    def plain(arrays: list[np.ndarray]) -> list[object]:
        return [(x.dtype.str, x.shape, repr(x.tolist())) for x in arrays]

    if Told.values(a) == Told.values(b):
        assert plain(a) == plain(b)


def test_of_results_shapes_are_told() -> None:
    told = Told.results([np.zeros((3, 2), "f4"), np.zeros((), "i8")])
    assert told.numbers == (3, 2)
    assert [(a.shape, a.dtype) for a in told.arrays] == [((3, 2), "f4"), ((), "i8")]
    assert told.like(Told.results([np.ones((9, 1), "f4"), np.ones((), "i8")]))
    assert not told.like(Told.results([np.zeros((3, 2), "f8"), np.zeros((), "i8")]))
    assert not told.like(Told.results([np.zeros((3, 2, 1), "f4"), np.zeros((), "i8")]))


def test_what_was_always_the_same_is_not_traced() -> None:
    inputs = (Tensor("x", f32, (Dim("n"), 4, Dim("m"))), Tensor("y", f32, (Dim("n"),)))
    recording = Recording(inputs)
    first, other = Told.shapes([(3, 4, 5), (3,)]), Told.shapes([(2, 4, 5), (2,)])
    made = recording.trace(first, [(other,)])
    n, four, m, same = made.numbers
    assert (traced(n), traced(four), traced(m)) == (True, False, False)
    assert n is same
    assert recording.open
    values = recording.values
    assert values((Told.shapes([(9, 4, 5), (9,)]),)) == {n.place: 9}
    # another number where none may be, one name for two numbers, another scale
    for shapes in ([(9, 4, 6), (9,)], [(9, 4, 5), (8,)], [(13, 4, 5), (13,)], [(0, 4, 5), (0,)]):
        assert values((Told.shapes(shapes),)) is None
    # elements have no scale
    values_of = [Told.values([np.array(v)]) for v in ([7, -1], [8, -1])]
    recording.trace(values_of[0], [(other, values_of[1])])
    told = Told.values([np.array([-(10**9), -1])])
    assert list((values((first, told)) or {}).values()) == [3, -(10**9)]
    assert values((first, Told.values([np.array([7, 1])]))) is None


@pytest.mark.parametrize("size", [FEW, FEW + 1])
def test_long_arrays_are_told_as_a_whole(size: int) -> None:
    told = Told.values([np.arange(size)])
    assert len(told.numbers) == (size if size <= FEW else 0)
