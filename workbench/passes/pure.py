"""Which expressions may be left out when nobody needs their value."""

from __future__ import annotations

from workbench.ir.expr import Atomic, Call, Expr
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.traverse import walk


def pure(expr: Expr) -> bool:
    """Whether an expression has no effect and waits for nobody.

    A device function is taken to have one; so has a shuffle, which other lanes wait for.
    """
    for node in walk(expr):
        if isinstance(node, Atomic):
            return False
        if isinstance(node, Call):
            row = INTRINSICS.get(node.function)
            if row is None or not row.pure:
                return False
    return True
