"""Functions and modules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from workbench.ir.node import REF, Node

if TYPE_CHECKING:
    from workbench.ir.expr import Var
    from workbench.ir.stmt import Stmt
    from workbench.ir.types import DType


class Level(Enum):
    """How far a module has come.

    SCRIPT: as written; task loops, one index per dimension, layouts.
    LOWERED: plain loops, one flat index per access, row-major storage, C's division only where
    it is safe.
    """

    SCRIPT = "script"
    LOWERED = "lowered"


@dataclass(frozen=True, slots=True)
class Launch:
    """How many blocks, and how many threads in each: (x, y, z) of both."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]

    @property
    def threads(self) -> int:
        """Threads of one block."""
        x, y, z = self.block
        return x * y * z

    @property
    def blocks(self) -> int:
        """Blocks of the grid."""
        x, y, z = self.grid
        return x * y * z


@dataclass(frozen=True, slots=True, eq=False)
class Function(Node):
    """A kernel (with a launch) or a device function (without).

    Attributes
    ----------
    params : tuple of Var
        Global tensors and scalars, in the order of the call.
    result : DType or None
        What a device function returns.
    notes : tuple of str
        What a reader should know of it, such as its task mappings, one line each.
    """

    name: str
    params: tuple[Var, ...] = field(metadata=REF)
    body: Stmt
    launch: Launch | None = None
    result: DType | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table(Node):
    """Read-only numbers that a kernel looks things up in (scope `constant`, one dimension)."""

    var: Var = field(metadata=REF)
    values: tuple[int | float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Module(Node):
    """What is compiled together: device functions before their callers, one kernel at the end."""

    functions: tuple[Function, ...]
    tables: tuple[Table, ...] = ()
    level: Level = Level.SCRIPT

    @property
    def kernel(self) -> Function:
        """The last function, the one that is launched."""
        return self.functions[-1]

    def function(self, name: str) -> Function | None:
        """The function called `name`, if there is one."""
        return next((f for f in self.functions if f.name == name), None)
