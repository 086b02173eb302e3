"""Functions of one thread."""

from __future__ import annotations

from collections.abc import Callable

from workbench.codegen.llvm.arith import like, operands, type_suffix
from workbench.codegen.llvm.emit import Emitter
from workbench.codegen.llvm.value import Value
from workbench.ir.types import DType

Rule = Callable[[Emitter, list[Value], DType], Value]


def _direct(name: str) -> Rule:
    """A function that LLVM turns into instructions."""

    def rule(e: Emitter, args: list[Value], kind: DType) -> Value:
        shape, *xs = operands(e, *args)
        found = e.call(shape, f"llvm.{name}.{type_suffix(shape)}", [(shape, x) for x in xs])
        return like(kind, found, *args)

    return rule


MATH: dict[str, Rule] = {
    "sqrt": _direct("sqrt"),
    "floor": _direct("floor"),
    "ceil": _direct("ceil"),
    "trunc": _direct("trunc"),
    "round": _direct("roundeven"),
    "fma": _direct("fma"),
}
