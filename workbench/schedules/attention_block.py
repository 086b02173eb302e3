"""What one block of two products with rows between them does, in scratch memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.ir import build
from workbench.ir.expr import Expr, Load, Var
from workbench.ir.stmt import Allocate, Declare, Evaluate, Seq, Stmt, Store
from workbench.ir.traverse import rewrite, substitute
from workbench.ir.types import Scope, TensorType
from workbench.schedules.lanes import LANE, dtype_of, loop
from workbench.schedules.matmul_block import Block
from workbench.schedules.matmul_tiles import Product
from workbench.schedules.row_block import Writer
from workbench.schedules.rows import Passes, Rows

if TYPE_CHECKING:
    from workbench.ir.types import DType
    from workbench.schedules.compute import Compute

KEPT = 4
"""An element that costs as much as this is kept for later passes: its place is there already."""

ENOUGH_BYTES = 2**30
"""For what is kept of a row; whether that is too much is asked for all rows of a block."""


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """What is computed.

    Attributes
    ----------
    first, second : Compute
        Matrix products whose axes but the last say the same: batches, and the row.
    rows : Rows
        What is made of the first product's rows, on its axes in their order. The last of the
        outputs is what the second product reads as its left factor.
    """

    first: Compute
    rows: Rows
    second: Compute

    @property
    def scores(self) -> Var:
        """What the first product gives."""
        return self.first.output

    @property
    def weights(self) -> Var:
        """What the second product reads as its left factor."""
        return self.rows.outputs[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Strip(Product):
    """A product of which a block makes some whole rows, of one batch.

    Attributes
    ----------
    high : int
        Register tiles of a block along rows.
    """

    high: int = 1

    @property
    def lead(self) -> tuple[int, ...]:
        """Extents of all batches."""
        return self.compute.output.tensor.extents[:-2]

    @property
    def panels(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Blocks, and register tiles in a block, along rows and columns."""
        (m, n, _), (rows, columns) = self.shape, self.unit
        return (-(-m // (self.high * rows)), self.high), (1, -(-n // columns))

    @property
    def packed(self) -> None:
        """Both right factors are copied."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """Scratch memory for the rows of a block.

    Attributes
    ----------
    scores : Var
        The first product's rows, one after the other; later what is kept of them, and what the
        second product reads, where what was there before is not read again.
    kept : dict of Var to Var
        Where the scores, and elements kept between passes, lie.
    weights : Var
        Where the second product's left factor lies.
    """

    scores: Var
    kept: dict[Var, Var]
    weights: Var

    @classmethod
    def of(cls, of: Attention, first: Strip, second: Strip) -> Storage:
        """As few rows as can be."""
        (_, high), (_, wide) = first.panels
        shape = high * first.unit[0], wide * first.unit[1]

        def rows(var: Var, kind: DType | None = None) -> Var:
            dtype = kind or var.tensor.dtype
            return Var(f"{var.name}_rows", TensorType(dtype, shape, Scope.SHARED))

        passes, left = passes_of(of), dtype_of(second.left)
        holder, scores = of.scores, rows(of.scores)
        kept = {of.scores: scores}
        for number, elements in enumerate(passes.elements):
            made = [s.output for s in elements]
            for var in (v for v in made if v in passes.saved and passes.first[v] == number):
                own = scores.tensor.dtype == var.tensor.dtype
                if own and not _read(passes, holder, number + 1):
                    holder, kept[var] = var, scores
                else:
                    kept[var] = rows(var)
        last = passes.first[of.weights] + 1
        own = left == scores.tensor.dtype and not _read(passes, holder, last)
        return cls(scores, kept, scores if own else rows(of.weights, left))

    @property
    def all(self) -> list[Var]:
        """Each once."""
        return list(dict.fromkeys((self.scores, *self.kept.values(), self.weights)))

    @property
    def row_bytes(self) -> int:
        """Of one row [byte]."""
        return sum(v.tensor.size_bytes // v.tensor.extents[0] for v in self.all)


def passes_of(of: Attention) -> Passes:
    """What is made of a row in scratch memory, pass by pass."""
    return Passes.of(of.rows, ENOUGH_BYTES, KEPT)


def _read(passes: Passes, var: Var, start: int) -> bool:
    """Whether a pass from `start` on reads what an earlier one has made of each element."""
    for number in range(start, len(passes.elements)):
        elements = passes.elements[number]
        made = {s.output for s in elements}
        if var not in made and any(var in s.loads() for s in (*elements, *passes.reduced[number])):
            return True
    return False


@dataclass(frozen=True, slots=True, eq=False)
class First(Block):
    """The first product, which stays in scratch memory."""

    def multiply(self) -> Stmt:
        """All register tiles, panel by panel of the right factor."""
        sync = Evaluate(build.call("syncthreads"))

        def panel(across: Expr) -> Stmt:
            copy = self.copy_panel(build.const(0), build.mul(across, self.of.unit[1]))
            tiles = loop("down", self.panels(0), lambda down: self.tile(down, across))
            return Seq((copy, sync, tiles, sync))

        return loop("across", self.panels(1), panel)

    def tile(self, down: Expr, across: Expr) -> Stmt:
        """One register tile, past the edges too: what is there is something, and not used."""
        (rows, width), compute = self.of.unit, self.of.compute
        acc = Var("acc", TensorType(self.of.dtype, self.of.each, Scope.REGISTER))
        zero = build.const(0, self.of.dtype)

        def keep(i: Expr, v: Expr) -> Stmt:
            row = build.add(build.mul(down, rows), i)
            column = build.add(build.mul(across, width), build.mul(v, self.of.lanes), LANE)
            values = self.place(self.inside(0, build.add(self.first(0), row)))
            values[compute.axes[-1]] = self.inside(1, column)
            assert compute.reduction is not None
            values[compute.reduction.result] = build.load(acc, (i, v))
            return Store(self.c, (row, column), substitute(compute.value, values))

        start = self.vectors(lambda i, v: Store(acc, (i, v), zero))
        sums = self.terms(acc, down, build.const(0))
        return Seq((Allocate(acc), start, sums, self.vectors(keep)))


@dataclass(frozen=True, slots=True, eq=False)
class Second(Block):
    """The second product, whose left factor is there already."""

    def element(self, row: Expr, k: Expr) -> Expr:
        """The left factor in scratch memory."""
        return build.load(self.a, (row, build.add(build.mul(self.k0, self.of.stretches[1]), k)))


@dataclass
class RowsInPlace(Writer):
    """The passes over a row that lies in scratch memory.

    Attributes
    ----------
    storage : Storage
        Where.
    left : Expr
        The second product's left factor.
    """

    storage: Storage = field(kw_only=True)
    left: Expr = field(kw_only=True)

    def allocate(self) -> list[Stmt]:
        """What is kept has its place already."""
        self.kept = self.storage.kept
        return []

    def begin(self, number: int, slot: tuple[Expr, ...]) -> tuple[list[Stmt], dict[Var, Expr]]:
        """What is kept is loaded first: its place may be taken in this pass."""
        declared, here = list[Stmt](), dict(self.known)
        elements = self.passes.elements[number]
        read = {v for s in (*elements, *self.passes.reduced[number]) for v in s.loads()}
        read -= {s.output for s in elements}
        for var, where in self.kept.items():
            if var in read:
                name = Var(f"{var.name}_kept", var.tensor.dtype)
                declared.append(Declare(name, build.load(where, slot)))
                here[var] = name
        return declared, here

    def finish(self, store: Store, slot: tuple[Expr, ...]) -> Stmt:
        """What the second product reads stays in scratch memory, as its factor."""
        factor = rewrite(self.left, lambda n: store.value if isinstance(n, Load) else None)
        return Store(self.storage.weights, slot, factor)
