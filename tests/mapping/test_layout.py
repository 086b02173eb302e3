"""Layouts against numpy's own strides, against the definition of tiling, and for their purpose."""

from __future__ import annotations

from itertools import product

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from workbench.base.errors import MappingError
from workbench.mapping import (
    Layout,
    Piece,
    Swizzle,
    column_major,
    local,
    parse_layout,
    repeat,
    row_major,
    spatial,
    strided,
)

SHAPES = st.integers(1, 3).flatmap(lambda rank: st.tuples(*[st.integers(1, 5)] * rank))


MAKERS = st.sampled_from([row_major, column_major])


def tiles(rank: int):
    part = st.tuples(MAKERS, st.tuples(*[st.integers(1, 3)] * rank))
    return st.lists(part, min_size=1, max_size=3)


TILED = st.integers(1, 2).flatmap(tiles)


def compose(parts: list[tuple]) -> Layout:
    make, shape = parts[0]
    whole = make(*shape)
    for make, shape in parts[1:]:
        whole = whole * make(*shape)
    return whole


def from_pieces(layout: Layout, index: tuple[int, ...]) -> int:
    """The address as the compiler computes it: from the plain data."""
    address = 0
    for place, pieces in zip(index, layout.pieces, strict=True):
        for piece in pieces:
            digit = place // piece.div
            address += piece.stride * (digit if piece.mod is None else digit % piece.mod)
    for swizzle in layout.swizzles:
        mask = (1 << swizzle.bits) - 1
        read = address >> (swizzle.base + swizzle.shift) & mask
        address ^= read << swizzle.base
    return address


@given(SHAPES)
def test_row_and_column_major_are_numpys(shape: tuple[int, ...]):
    numbers = np.arange(np.prod(shape))
    assert np.array_equal(row_major(*shape).table(), numbers.reshape(shape))
    assert np.array_equal(column_major(*shape).table(), numbers.reshape(shape, order="F"))
    assert row_major(*shape).size == column_major(*shape).size == numbers.size


@given(SHAPES, st.data())
def test_strided_is_numpys(shape: tuple[int, ...], data: st.DataObject):
    strides = data.draw(st.tuples(*[st.integers(0, 9)] * len(shape)))
    layout = strided(shape, strides)
    memory = np.arange(layout.size)
    view = np.lib.stride_tricks.as_strided(memory, shape, [s * memory.itemsize for s in strides])
    assert np.array_equal(layout.table(), view)
    assert layout.table().max() + 1 == layout.size


@given(TILED)
def test_tiling_is_its_definition(parts: list[tuple]):
    layout, inner = compose(parts), parts[-1][0](*parts[-1][1])
    outer = compose(parts[:-1]) if len(parts) > 1 else None
    table = layout.table()
    for index in product(*map(range, layout.shape)):
        split = [divmod(place, tile) for place, tile in zip(index, inner.shape, strict=True)]
        expected = inner(*(low for _, low in split))
        if outer is not None:
            expected += inner.size * outer(*(high for high, _ in split))
        assert layout(*index) == table[index] == from_pieces(layout, index) == expected
    assert sorted(table.ravel()) == list(range(layout.size))


@given(TILED)
def test_text_reads_back(parts: list[tuple]):
    layout = compose(parts)
    again = parse_layout(str(layout))
    assert again == layout
    assert hash(again) == hash(layout)
    assert str(again) == str(layout) == repr(layout)


@given(
    MAKERS,
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_swizzle_permutes_the_addresses(make: object, bits: int, base: int, more: int):
    assert callable(make)
    plain = make(16, 32)
    layout = plain.swizzle(bits, base, bits + more)
    assert parse_layout(str(layout)) == layout
    assert sorted(layout.table().ravel()) == list(range(layout.size))
    for index in ((0, 0), (3, 5), (15, 31), (7, 16)):
        assert layout(*index) == layout.table()[index] == from_pieces(layout, index)
    # CuTe's definition: offset ^ ((offset & (mask << base+shift)) >> shift)
    read = ((1 << bits) - 1) << (base + bits + more)
    assert np.array_equal(layout.table(), plain.table() ^ ((plain.table() & read) >> (bits + more)))


def test_swizzle_spreads_a_column_over_all_banks():
    plain, swizzled = row_major(32, 32), row_major(32, 32).swizzle(5)
    assert set(plain.table()[:, 3] % 32) == {3}
    assert all(len(set(swizzled.table()[:, column] % 32)) == 32 for column in range(32))
    assert all(len(set(swizzled.table()[row] % 32)) == 32 for row in range(32))


def test_padding_spreads_a_column_too():
    padded = strided((32, 32), (33, 1))
    assert padded.size == 32 * 33 - 1
    assert len(set(padded.table()[:, 3] % 32)) == 32


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (row_major(2, 4), row_major(8, 8).swizzle(2, 0, 3)),
        (row_major(16, 16).swizzle(3), row_major(2, 4)),
        (row_major(4, 4).swizzle(1, 1), column_major(8, 8).swizzle(1, 2, 2)),
    ],
)
def test_tiling_swizzled_layouts(outer: Layout, inner: Layout):
    layout = outer * inner
    for i, j in product(*map(range, layout.shape)):
        (a, c), (b, d) = divmod(i, inner.shape[0]), divmod(j, inner.shape[1])
        assert layout(i, j) == outer(a, b) * inner.size + inner(c, d)


def test_pieces_are_the_fewest():
    assert row_major(4, 8).pieces == ((Piece(1, None, 8),), (Piece(1, None, 1),))
    assert (row_major(2, 1) * row_major(2, 8)).pieces == row_major(4, 8).pieces
    assert row_major(2, 1) * row_major(2, 8) == row_major(4, 8)
    assert (row_major(2, 2) * row_major(4, 4)).pieces == (
        (Piece(4, None, 32), Piece(1, 4, 4)),
        (Piece(4, None, 16), Piece(1, 4, 1)),
    )
    assert row_major(1, 4).pieces == ((), (Piece(1, None, 1),))
    assert row_major(16, 16).swizzle(3, 2).swizzles == (Swizzle(3, 2, 3),)


def test_swizzles_apply_in_order():
    layout = row_major(16, 16).swizzle(2).swizzle(2, 2)
    first, second = layout.swizzles
    assert layout(5, 6) == second(first(5 * 16 + 6))
    assert str(layout) == "row_major(16, 16).swizzle(2, 0, 2).swizzle(2, 2, 2)"


def test_composition_keeps_its_meaning_when_swizzled():
    layout = (row_major(2, 2) * row_major(4, 4)).swizzle(2)
    assert str(layout) == "(row_major(2, 2) * row_major(4, 4)).swizzle(2, 0, 2)"
    assert parse_layout(str(layout)) == layout


def test_layouts_of_one_meaning_are_equal():
    assert row_major(4, 8) == strided((4, 8), (8, 1))
    assert row_major(4, 8) != column_major(4, 8)
    assert len({row_major(4, 8), strided((4, 8), (8, 1))}) == 1


def test_index_is_checked():
    with pytest.raises(MappingError, match="index -1 of dim 1 is outside 0 … 7"):
        row_major(4, 8)(0, -1)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4)
)
def test_a_local_layout_mirrors_a_task_mapping(factors: list[tuple[bool, int, int]]) -> None:
    """Slot and worker of an element are its step and worker under the mapping of one shape."""
    mapping, layout = repeat(1, 1), row_major(1, 1)
    for spread, m, n in factors:
        mapping = mapping * (spatial(m, n) if spread else repeat(m, n))
        layout = layout * (local(m, n) if spread else row_major(m, n))
    assert layout.size == mapping.table().shape[1]
    for worker in range(mapping.workers):
        assert [layout(*task) for task in mapping(worker)] == list(range(layout.size))
