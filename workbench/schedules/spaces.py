"""What else a definition's template could be told: its legal knobs, none of which asks for a size.

Edges are handled in the programs, so that what is best for one extent is legal for every other.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from workbench.schedules import matmul_cpu, window_cpu
from workbench.schedules.choose import Template, choose
from workbench.schedules.injective import Injective
from workbench.schedules.matmul_cpu import MatmulCpu
from workbench.schedules.matmul_simt import MatmulSimt
from workbench.schedules.matmul_words import MatmulWords
from workbench.schedules.matvec_cpu import MatvecCpu
from workbench.schedules.reduce_serial import ReduceSerial
from workbench.schedules.row_block import WARP, RowBlock
from workbench.schedules.window_cpu import WindowCpu

if TYPE_CHECKING:
    from workbench.ir.target import Target
    from workbench.schedules.compute import Compute


def space(compute: Compute, target: Target) -> tuple[Template, ...]:
    """All candidates of the template that `choose` picks, its own choice first.

    Parameters
    ----------
    compute : Compute
        What is to be computed.
    target : Target
        What the program will run on.

    Returns
    -------
    tuple of Template
        All of one class, at most 200.

    Examples
    --------
    >>> from workbench.ir import build
    >>> from workbench.schedules.compute import Compute
    >>> from workbench.ir.expr import Var
    >>> from workbench.ir.target import Target
    >>> from workbench.ir.types import f32
    >>> ones = Compute("one", (), Var("out", f32[8]), (Var("i", build.i32),), build.const(1.0))
    >>> [each.threads for each in space(ones, Target("cpu"))]
    [256, 64, 128, 512]
    """
    usual = choose(compute, target)
    others = _others(usual, compute)
    return (usual, *(each for each in others if each != usual))


def _others(usual: Template, compute: Compute) -> list[Template]:
    match usual:
        case Injective():
            return [Injective(threads) for threads in (64, 128, 256, 512)]
        case ReduceSerial():
            return [ReduceSerial(threads) for threads in (32, 64, 128, 256)]
        case RowBlock():
            widths = (1, WARP, 2 * WARP, 4 * WARP, 8 * WARP)
            pairs = product((1, 2, 4, 8), widths)
            return [replace(usual, rows=r, width=w) for r, w in pairs if r * w <= 512]
        case MatmulSimt():
            return _simt(usual)
        case MatmulCpu():
            tiles = matmul_cpu.REGISTER_TILES.get(usual.lanes, matmul_cpu.REGISTER_TILES[8])
            sides = ((256, 512), (512, 512), (512, 1024), (1024, 512), (1024, 2048), (2048, 1024))
            return [
                replace(usual, each=each, depth=depth, tile=tile)
                for each, depth, tile in product(tiles, (128, 192, 256, 512), sides)
            ]
        case MatmulWords():
            sides = product((128, 256, 512), (128, 256, 512))
            return [replace(usual, tile=tile) for tile in sides]
        case MatvecCpu():
            pairs = product((4, 8, 16), (256, 512, 1024, 2048))
            return [replace(usual, terms=t, columns=c) for t, c in pairs]
        case WindowCpu():
            return list(window_cpu.space(compute))


def _simt(usual: MatmulSimt) -> list[Template]:
    """Tiles whose copies the threads share evenly."""
    threads = ((4, 16), (8, 8), (8, 16), (16, 8), (16, 16), (8, 32), (16, 32))
    each = ((2, 2), (4, 4), (4, 8), (8, 4), (8, 8))
    found: list[Template] = []
    for count, tile, depth in product(threads, each, (8, 16, 32)):
        workers, rows, columns = count[0] * count[1], count[0] * tile[0], count[1] * tile[1]
        copies = [(rows, depth), (depth, columns)]
        if all(_covered(workers, slow, fast) for slow, fast in copies):
            found.append(replace(usual, threads=count, each=tile, depth=depth))
    return found


def _covered(workers: int, slow: int, fast: int) -> bool:
    wide = min(fast, workers)
    return workers % wide == 0 and fast % wide == 0 and slow % (workers // wide) == 0
