"""Values read from hidet 0.6.1 as it ran, and from the paper: every mapping agrees with them."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.mapping import (
    TaskMapping,
    auto_map,
    column_repeat,
    column_spatial,
    parse_mapping,
    predicated_auto_map,
    repeat,
    spatial,
)

MATMUL = spatial(4, 2) * repeat(2, 2) * spatial(4, 8) * repeat(4, 4)


def test_copy_by_sixteen_rows():
    mapping = repeat(4, 1) * spatial(16, 8)
    assert (mapping.workers, mapping.shape, mapping.rank) == (128, (64, 8), 2)
    assert mapping(0) == [(0, 0), (16, 0), (32, 0), (48, 0)]
    assert mapping(127) == [(15, 7), (31, 7), (47, 7), (63, 7)]
    assert list(mapping.on(127)) == mapping(127)


def test_block_warp_thread_of_the_matmul():
    assert (MATMUL.workers, MATMUL.shape) == (256, (128, 128))
    assert all(len(MATMUL(worker)) == 64 for worker in range(256))
    assert MATMUL(0)[16] == (0, 32)
    assert MATMUL(31)[0] == (12, 28)
    assert MATMUL(32)[0] == (0, 64)
    assert MATMUL(255)[0] == (108, 92)
    assert MATMUL(255)[-1] == (127, 127)


def test_fragment_of_the_tensor_core():
    mapping = repeat(2, 1).spatial(8, 4).repeat(1, 2)
    assert mapping(0) == [(0, 0), (0, 1), (8, 0), (8, 1)]
    assert mapping(5) == [(1, 2), (1, 3), (9, 2), (9, 3)]


def test_interleaved_warps():
    mapping = spatial(2, 1) * spatial(1, 8) * spatial(2, 1)
    first = [mapping(worker)[0] for worker in range(8)]
    assert first == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)]


def test_columns():
    assert column_repeat(2, 3)(0) == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    assert column_spatial(2, 3)(1) == [(1, 0)]


def test_column_order_survives_a_unit_dim():
    """hidet 0.6.1 loses the ranks here and runs in row-major order."""
    mapping = column_spatial(2, 1, 3)
    first = [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1), (0, 0, 2), (1, 0, 2)]
    assert [mapping(worker)[0] for worker in range(6)] == first
    assert [mapping.nest().tasks(worker)[0] for worker in range(6)] == first
    assert mapping.table()[:, 0].tolist() == [list(task) for task in first]


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((8, 32), "repeat(4, 1) * spatial(2, 32)"),
        ((8, 64), "repeat(8, 1) * spatial(1, 64)"),
        ((8, 96), "repeat(4, 3) * spatial(2, 32)"),
        ((8, 128), "repeat(8, 2) * spatial(1, 64)"),
    ],
)
def test_auto_map(shape: tuple[int, ...], text: str):
    assert str(auto_map(*shape, workers=64)) == text
    assert predicated_auto_map(*shape, workers=64).same_as(parse_mapping(text))


def test_auto_map_with_ranks_and_three_dims():
    by_columns = auto_map(8, 96, workers=64, ranks=[1, 0])
    assert by_columns.same_as(column_repeat(1, 12) * column_spatial(8, 8))
    assert str(auto_map(8, 16, 24, workers=32)) == "repeat(8, 4, 3) * spatial(1, 4, 8)"


def test_projection():
    mapping = (spatial(2, 2) * repeat(2, 2)).projection({1: 0})
    assert mapping.shape == (4, 1)
    assert mapping(3) == [(2, 0), (2, 0), (3, 0), (3, 0)]


def test_copy_lowers_to_one_loop():
    nest = (repeat(4, 1) * spatial(16, 8)).nest()
    assert str(nest) == "for r in 4\ni = r*16 + w//8\nj = w%8"


def test_predicated_map_leaves_workers_idle():
    mapping = predicated_auto_map(8, 41, workers=64)
    assert mapping.shape == (8, 41)
    assert mapping(40) == [(row, 40) for row in range(8)]
    assert all(mapping(worker) == [] for worker in range(41, 64))


def test_predicated_map_leaves_out_what_lies_past_the_extent():
    mapping = predicated_auto_map(41, 8, workers=64)
    assert mapping(63) == [(row, 7) for row in range(7, 41, 8)]
    assert mapping(0) == [(row, 0) for row in range(0, 41, 8)]
    table = mapping.table()
    assert table.shape == (64, 6, 2)
    assert table[63, -1].tolist() == [-1, -1]


def test_blocked_is_not_cyclic():
    assert (spatial(4) * repeat(2))(1) == [(2,), (3,)]
    assert (repeat(2) * spatial(4))(1) == [(1,), (5,)]


def test_user_function():
    triangle = TaskMapping((4, 4), 4, lambda w: ((w, i) for i in range(w + 1)))
    assert triangle(2) == [(2, 0), (2, 1), (2, 2)]
    both = triangle * spatial(1, 2)
    assert both(5) == [(2, 1), (2, 3), (2, 5)]
    assert both.table()[0].tolist() == [[0, 0], [-1, -1], [-1, -1], [-1, -1]]


def test_table_is_the_array_of_all_tasks():
    table = MATMUL.table()
    assert table.shape == (256, 64, 2)
    assert table.dtype == np.int32
    assert table[255, -1].tolist() == [127, 127]
    assert np.array_equal(MATMUL.table([255, 3]), table[[255, 3]])
    assert spatial(2**31, 1).table([2**31 - 1]).tolist() == [[[2**31 - 1, 0]]]


def test_table_of_1024_workers_and_65536_tasks_covers_the_domain():
    mapping = spatial(4, 8) * repeat(2, 4) * spatial(8, 4) * repeat(4, 2)
    table = mapping.table()
    assert table.shape == (1024, 64, 2)
    flat = np.ravel_multi_index((table[..., 0].ravel(), table[..., 1].ravel()), mapping.shape)
    assert np.array_equal(np.sort(flat), np.arange(65536))
