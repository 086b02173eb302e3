"""Which tensors a function writes, and how wide it accesses them."""

from __future__ import annotations

from workbench.ir.expr import Atomic, Call, Load, Var
from workbench.ir.module import Function, Module
from workbench.ir.stmt import Store
from workbench.ir.traverse import walk
from workbench.ir.types import TensorType


def written(module: Module) -> dict[str, frozenset[Var]]:
    """For each function, the tensors it stores to or updates, by its callees too.

    Examples
    --------
    >>> from workbench.ir.expr import Var
    >>> from workbench.ir.types import f32
    >>> from workbench.ir.build import const
    >>> a = Var("a", f32[4])
    >>> body = Store(a, (const(0),), const(1.0))
    >>> written(Module((Function("f", (a,), body),)))["f"] == {a}
    True
    """
    found: dict[str, frozenset[Var]] = {}
    for function in module.functions:
        found[function.name] = frozenset(_written(function, module, found))
    return found


def _written(function: Function, module: Module, callees: dict[str, frozenset[Var]]) -> set[Var]:
    stored: set[Var] = set()
    for node in walk(function.body):
        if isinstance(node, Store | Atomic):
            stored.add(node.tensor)
        elif isinstance(node, Call) and node.function in callees:
            callee = module.function(node.function)
            assert callee is not None, node.function
            pairs = zip(callee.params, node.args, strict=True)
            stored.update(
                arg
                for param, arg in pairs
                if param in callees[callee.name] and isinstance(arg, Var)
            )
    return stored


def alignments(module: Module) -> dict[Var, int]:
    """For each tensor that is accessed in short vectors, the alignment they need [byte].

    The widest access counts, up to 16 bytes, the widest that a thread makes at once; a vector
    access starts at a multiple of its size. A device function's needs count for what it is given.
    """
    widest: dict[Var, int] = {}
    for function in module.functions:
        for node in walk(function.body):
            for tensor, size_bytes in _accesses(node, module, widest):
                widest[tensor] = max(widest.get(tensor, 1), min(size_bytes, 16))
    return widest


def _accesses(node: object, module: Module, widest: dict[Var, int]) -> list[tuple[Var, int]]:
    if isinstance(node, Load) and node.type.lanes > 1:
        return [(node.tensor, node.type.size_bytes)]
    if isinstance(node, Store):
        kind = node.value.type
        assert kind is not None
        assert not isinstance(kind, TensorType)
        return [(node.tensor, kind.size_bytes)] if kind.lanes > 1 else []
    if isinstance(node, Call):
        callee = module.function(node.function)
        params = callee.params if callee else ()
        pairs = zip(params, node.args, strict=False)
        return [(a, widest[p]) for p, a in pairs if isinstance(a, Var) and p in widest]
    return []
