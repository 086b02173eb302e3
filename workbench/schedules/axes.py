"""How output elements are dealt to blocks and threads: what the templates have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.base.names import safe_name
from workbench.ir import build
from workbench.ir.expr import Builtin, Expr, Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.naming import RESERVED
from workbench.ir.stmt import Declare, ForTask, If, Seq, Stmt
from workbench.ir.types import i32
from workbench.mapping import spatial
from workbench.schedules.combine import unflat
from workbench.schedules.compute import Compute
from workbench.schedules.extents import divides, rough, varies

ROW = 32
"""Threads along the last dimension, at most: a warp reads neighbours."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """A tile of the output per block, one element of it per thread.

    Attributes
    ----------
    shape : tuple of int
        Extents of the output.
    tile : tuple of int
        Extents of a tile; need not divide the shape.
    """

    shape: tuple[int, ...]
    tile: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Tiles along each dimension."""
        return tuple(-(-e // t) for e, t in zip(self.shape, self.tile, strict=True))

    @property
    def threads(self) -> int:
        """Threads of a block."""
        total = 1
        for extent in self.tile:
            total *= extent
        return total

    @property
    def blocks(self) -> int:
        """Blocks of the grid."""
        total = 1
        for count in self.counts:
            total *= count
        return total

    def each(self, body: Callable[[tuple[Expr, ...]], Stmt]) -> Stmt:
        """`body` for the element of each thread; threads past the edge do nothing."""
        rank = len(self.shape)
        block = tuple(Var(f"b{d}", i32) for d in range(rank))
        thread = tuple(Var(f"t{d}", i32) for d in range(rank))
        index = tuple(
            build.add(build.mul(b, t), i) for b, i, t in zip(block, thread, self.tile, strict=True)
        )
        guards = [
            build.less(i, e)
            for i, e, t in zip(index, self.shape, self.tile, strict=True)
            if not divides(t, e)
        ]
        inner = body(index)
        if guards:
            inner = If(build.all_of(*guards), inner)
        inner = ForTask(thread, spatial(*self.tile), Builtin("threadIdx.x"), inner)
        return over_blocks(block, self.counts, inner)


def over_blocks(block: Sequence[Var], counts: Sequence[int], body: Stmt) -> Stmt:
    """`body` for the place of each block in a grid, row-major.

    A mapping holds numbers: where the grid is another one from call to call, it is arithmetic.
    """
    number = Builtin("blockIdx.x")
    if not any(map(varies, counts)):
        return ForTask(tuple(block), spatial(*counts), number, body)
    places = zip(block, unflat(number, counts), strict=True)
    return Seq((*(Declare(var, place) for var, place in places), body))


def tiles(shape: Sequence[int], threads: int) -> Tiles:
    """Tiles of at most `threads` elements, filled from the last dimension.

    Examples
    --------
    >>> tiles((1, 8, 24, 96), 256).tile, tiles((1, 1000), 256).tile
    ((1, 1, 8, 32), (1, 256))
    """
    left = threads
    found: list[int] = []
    # where the rest of the dimensions is small, the row takes all threads
    rest = 1
    for extent in shape[:-1]:
        rest *= rough(extent)
    row = threads if rest == 1 else ROW
    for place, extent in enumerate(reversed(shape)):
        limit = min(left, row) if place == 0 else left
        size = min(limit, power_of_two(rough(extent)))
        found.append(size)
        left //= size
    return Tiles(tuple(shape), tuple(reversed(found)))


def power_of_two(extent: int) -> int:
    """The smallest power of two not below `extent`."""
    return 1 << max(0, extent - 1).bit_length()


def kernel_name(text: str) -> str:
    """`text` as the name of a kernel: an identifier that means nothing else in the text form.

    Examples
    --------
    >>> kernel_name("conv_relu"), kernel_name("exp"), kernel_name("7/x")
    ('conv_relu', 'exp_kernel', '_7_x')
    """
    name = safe_name(text, "kernel")
    return f"{name}_kernel" if name in RESERVED else name


def kernel(compute: Compute, body: Stmt, blocks: int, threads: int, notes: Sequence[str]) -> Module:
    """A module of one kernel whose parameters are the inputs and the output of `compute`."""
    return launched(compute.name, (*compute.inputs, compute.output), body, blocks, threads, notes)


def launched(
    name: str, params: Sequence[Var], body: Stmt, blocks: int, threads: int, notes: Sequence[str]
) -> Module:
    """A module of one kernel over a line of blocks."""
    launch = Launch((blocks, 1, 1), (threads, 1, 1))
    return Module((Function(kernel_name(name), tuple(params), body, launch, notes=tuple(notes)),))
