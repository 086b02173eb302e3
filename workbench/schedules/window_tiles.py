"""Register tiles of a sliding window on a CPU: which there are, and what each takes."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.ir.expr import Load
from workbench.ir.traverse import variables, walk
from workbench.runtime.jit import host
from workbench.schedules.extents import rough
from workbench.schedules.window import even, nest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.schedules.window import Sliding

WIDEST = 28
"""Vectors of a register tile, at most."""

REGISTERS = 32
"""Vector registers where vectors have 16 lanes; else half as many."""

EDGES = 6
"""Tiles of a row that may be written out for their padding."""

LONG = 64
"""Terms of a sum from which on a tile may have several rows."""

BLOCKS = 16
"""Blocks of the grid to aim at, so that host threads can share them."""


CHUNKS = 8
"""Parts of the rows, at least, where blocks go through the rows before the channels."""


SUMS_BYTES = 2**18
"""Sums of a block that are made in stretches: they should stay in the second cache [byte]."""


NARROW = 4
"""Columns of a tile from which on it is worth having a narrower one."""


def sums_bytes(window: Sliding, blocks: int) -> int:
    """Of one row [byte]."""
    copies = 2 if window.open else 1
    return copies * rough(window.columns) * blocks * _vector_bytes(window)


def _vector_bytes(window: Sliding) -> int:
    return window.compute.output.tensor.extents[-1] * 4


def stretch(window: Sliding, blocks: int, most: int | None = None) -> int:
    """Turns of the outermost loop of a sum after which other tiles take the same weights.

    So many that the weights take two thirds of the first cache, and fit there beside the rows
    that are read again for the next row of results; 0 where sums are better made in one go.

    Parameters
    ----------
    most : int, optional
        How many, whatever the caches are.
    """
    (_, turns), *rest = nest(window.reduction, window.value)[0]
    axis = window.reduction.axes[0]
    tested = any(axis in variables(t) for t in (*window.row, *window.column))
    if tested or not window.shared or not isinstance(turns, int):
        return 0
    vector_bytes = _vector_bytes(window)
    weights = prod(window.reduction.extents) // turns * blocks * vector_bytes
    rows = rest[0][1] if len(rest) > 2 else 0
    inputs = rows * rough(window.columns) * vector_bytes if isinstance(rows, int) else 0
    level1 = host().level1_bytes
    if most is None:
        few = sums_bytes(window, blocks) <= SUMS_BYTES
        most = few * min(level1 * 2 // 3 // weights, level1 // (weights + inputs))
    return -(-turns // -(-turns // most)) if 0 < most < turns else 0


def by_rows(window: Sliding) -> bool:
    """Whether blocks go through the rows before the channels: where weights are the less.

    A host thread then reads the rows that it has stored itself in the launch before.
    """
    lane = window.compute.axes[-1]
    loads = [n for n in walk(window.value) if isinstance(n, Load)]
    sizes = {lane in variables(n): rough(n.tensor.tensor.size) for n in loads}
    return len(sizes) < 2 or sizes[True] < sizes[False]


def candidates(window: Sliding) -> Iterator[tuple[tuple[int, int], int]]:
    """Columns and blocks of channels of the tiles that fit into registers, and their rows.

    Several rows are in a tile only where its columns are a whole row, and the sum long enough to
    pay for the code of each row.
    """
    shape = window.compute.output.tensor.extents
    blocks = shape[1] if window.shared else 1
    edges = window.edges() if window.open else None
    clear = range(0) if edges else window.clear()
    registers = REGISTERS if shape[-1] >= 16 else REGISTERS // 2
    for count in (1, 2, 3, 4, 6, 8):
        if blocks % count:
            continue
        # beside the sums there are a weight for each block and an input
        most = min(WIDEST, registers - count - 1) // count
        if edges is not None:
            ends = ((w, -(-edges[0] // w) - (-edges[1] // w)) for w in range(1, most + 1))
            fit = (w for w, tiles in ends if (tiles + 1) * w <= rough(window.columns))
            yield from (((width, count), 1) for width in fit)
            continue
        for width in sorted({even(window.columns, n) for n in range(1, most + 1)}):
            if len(window.tiles(width, clear)[1]) <= EDGES:
                yield (width, count), 1
        long = not window.flat and prod(window.reduction.extents) >= LONG
        for rows in range(2, most // window.columns + 1) if long else ():
            if window.bands(rows):
                yield (window.columns, count), rows


def cost(each: tuple[int, int], rows: int, window: Sliding) -> float:
    """Cycles per term and output vector: a register tile's, those of narrower ones at the end of a
    row, and what is lost where there are too few blocks for the threads.
    """
    width, blocks = each
    shape = tuple(map(rough, window.compute.output.tensor.extents))
    lines, columns = shape[window.spot - 1] if rows > 1 else 1, rough(window.columns)
    whole = _cycles(rough(width) * rows, blocks, window.shared)

    def taken(places: int) -> float:
        full, last = divmod(places, rough(width) * rows)
        if window.open and last:
            last = narrower(width) if last <= narrower(width) else width
        return (full * whole + (_cycles(last, blocks, window.shared) if last else 0.0)) / places

    # rows of other lengths should not find themselves a little longer than so many tiles
    lengths = [columns, columns + 1, columns * 5 // 4, columns * 3 // 2, columns * 2]
    lengths = lengths if window.open else lengths[:1]
    total = prod(shape[2 : -3 if window.flat else window.spot])
    units = shape[0] * shape[1] // blocks * -(-total // rows)
    starved = 0.0 if units >= BLOCKS else max(0.05, 0.3 / units)
    return sum(taken(n * lines) for n in lengths) / (len(lengths) * blocks) + starved


def narrower(width: int) -> int:
    """Columns of a tile for the end of a row of any length, where few are left."""
    return width if width < NARROW else -(-width // 2)


def _cycles(width: int, blocks: int, shared: bool) -> float:
    """Of one term of a register tile: two sums and two loads at a time.

    Weights come from the second cache, three and a half cycles a vector, where blocks share what
    they read; else they stay in the first. A sum waits four cycles for the one before.
    """
    loads = (width + blocks) / 2 if shared else (width + 1) / 2 + width / 4
    return max(width * blocks / 2, loads, blocks * 3.5 if shared else 0.0, 4.0) + 3.5
