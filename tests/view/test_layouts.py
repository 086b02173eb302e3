"""Layouts and what a warp asks for, as the browser evaluates them: Python says what is right.

The golden file is read by extension/tests/layouts.test.ts, which works out the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.view.test_mapping_view import CASES
from workbench.interp.access import AccessLog
from workbench.ir.build import const
from workbench.ir.types import Scope
from workbench.mapping import Layout, TaskMapping, column_major, row_major, strided

LAYOUTS: list[tuple[str, str, int, Layout]] = [
    ("fragment", "row-major", 4, row_major(16, 8)),
    ("fragment", "row-major", 8, row_major(16, 8)),
    ("fragment", "column-major", 1, column_major(16, 8)),
    ("fragment", "padded by one", 4, strided((16, 8), (9, 1))),
    ("fragment", "XOR-swizzled", 1, row_major(16, 8).swizzle(1, 2, 5)),
    ("fragment", "XOR-swizzled", 2, row_major(16, 8).swizzle(2, 1, 5)),
    ("fragment", "XOR-swizzled", 4, row_major(16, 8).swizzle(3, 0, 5)),
    ("fragment", "XOR-swizzled", 8, row_major(16, 8).swizzle(3, 0, 4)),
    ("matmul", "row-major", 2, row_major(128, 128)),
    ("matmul", "column-major", 8, column_major(128, 128)),
    ("matmul", "padded by one", 2, strided((128, 128), (129, 1))),
    ("matmul", "XOR-swizzled", 1, row_major(128, 128).swizzle(5, 2, 5)),
    ("matmul", "XOR-swizzled", 2, row_major(128, 128).swizzle(5, 1, 6)),
    ("matmul", "XOR-swizzled", 4, row_major(128, 128).swizzle(5, 0, 7)),
    ("matmul", "XOR-swizzled", 8, row_major(128, 128).swizzle(4, 0, 7)),
    ("rank3", "column-major", 4, column_major(2, 4, 8)),
    ("rank3", "padded by one", 8, strided((2, 4, 8), (36, 9, 1))),
    ("rank3", "XOR-swizzled", 4, row_major(2, 4, 8).swizzle(3, 0, 5)),
    ("predicates", "padded by one", 4, strided((5, 7), (8, 1))),
    ("strip", "column-major", 2, column_major(24)),
]


def request(mapping: TaskMapping, layout: Layout, size: int, worker: int, step: int):
    """The numbers of one request, by what counts them in the interpreter."""
    first = worker - worker % 32
    own = {
        lane: tasks[step]
        for lane in range(min(32, mapping.workers - first))
        if step < len(tasks := list(mapping(first + lane)))
    }
    start = np.array([layout(*task) * size for task in own.values()], dtype=np.int64)
    lane = np.array(list(own), dtype=np.int64)
    log = AccessLog()
    for node, scope in ((const(0), Scope.GLOBAL), (const(1), Scope.SHARED)):
        log.record(node, "load", "x", scope, start, lane * 0, lane, size)
    moved, served = log.accesses()
    return [worker, step, moved.sectors, moved.bytes_used, served.passes]


def test_numbers_that_the_browser_must_find(golden: Callable[[str, str], None]):
    rows: list[str] = []
    for name, form, size, layout in LAYOUTS:
        mapping = CASES[name]
        asked = [
            request(mapping, layout, size, worker, step)
            for worker in range(0, mapping.workers, 32)
            for step in range(min(4, *(len(list(mapping(w))) for w in range(4))))
        ]
        # Every address of a small shape; of a large one each 101st.
        flat = layout.table().ravel()
        addresses = flat[:: 1 if flat.size <= 256 else 101].tolist()
        case = {"of": name, "form": form, "bytes": size, "text": str(layout)}
        rows.append(json.dumps({**case, "addresses": addresses, "asked": asked}))
    golden("layouts.json", "[\n" + ",\n".join(rows) + "\n]")


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_the_swizzle_spreads_a_column(size: int):
    wanted = ("matmul", "XOR-swizzled", size)
    layout = next(layout for *of, layout in LAYOUTS if tuple(of) == wanted)
    assert sorted(layout.table().ravel().tolist()) == list(range(128 * 128))
    rows = TaskMapping((128, 128), 32, lambda w: [(w, 77)])
    *_, passes = request(rows, layout, size, 0, 0)
    *_, plain = request(rows, row_major(128, 128), size, 0, 0)
    assert (passes, plain) == (2 if size == 8 else 1, 32)
