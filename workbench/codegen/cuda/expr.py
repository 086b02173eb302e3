"""Expressions in CUDA C++, made from the leaves up, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.base.errors import CodegenError
from workbench.codegen.clike import UNARY, C
from workbench.codegen.cuda import scalar, vector
from workbench.codegen.cuda.atomic import atomic
from workbench.codegen.cuda.cast import cast
from workbench.codegen.cuda.intrinsics import RULES, CallSite
from workbench.codegen.cuda.prelude import Prelude
from workbench.codegen.cuda.types import c_type, const, maker
from workbench.ir.expr import (
    Atomic,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Cast,
    Const,
    Expr,
    Extract,
    Load,
    Pack,
    Select,
    Unary,
    UnaryOp,
    Var,
    value_type,
)
from workbench.ir.module import Function, Launch
from workbench.ir.traverse import children
from workbench.ir.types import TensorType

_ADDRESS_OPS = {BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL}


@dataclass
class Expressions:
    """Turns expressions of one function into C.

    Parameters
    ----------
    names : mapping of Var to str
        Every variable's name.
    functions : mapping of str to (str, Function)
        Device functions and what they are called in C.
    prelude : Prelude
        Gets the functions and types that the text needs.
    launch : Launch
        Of the kernel.
    arch : int
        Compute capability times ten.
    readonly : frozenset of Var
        Global tensors that are never stored to.
    bounds : dict of Var to (int, int)
        What is known of integer variables that are in scope.
    """

    names: Mapping[Var, str]
    functions: Mapping[str, tuple[str, Function]]
    prelude: Prelude
    launch: Launch
    arch: int
    readonly: frozenset[Var] = frozenset()
    bounds: dict[Var, tuple[int, int]] = field(default_factory=dict)

    def __call__(self, root: Expr, *, address: bool = False) -> C:
        """`root` as C; `address` says that it is the index of an access."""
        done: dict[tuple[Expr, bool], C] = {}
        stack: list[tuple[Expr, bool, bool]] = [(root, address, False)]
        while stack:
            node, within, ready = stack.pop()
            if (node, within) in done:
                continue
            kids = _operands(node, within)
            if ready:
                done[node, within] = self._one(node, [done[k] for k in kids], within)
            else:
                stack.append((node, within, True))
                stack.extend((*k, False) for k in reversed(kids))
        return done[root, address]

    def element(self, tensor: Var, index: Expr, lanes: int = 1) -> str:
        """The place of an access, to be read or written."""
        return self._place(tensor, self(index, address=True).text, lanes)

    def _place(self, tensor: Var, index: str, lanes: int) -> str:
        place = f"{self.names[tensor]}[{index}]"
        if lanes == 1:
            return place
        qualifier = "const " if tensor in self.readonly else ""
        kind = c_type(tensor.tensor.dtype.vector(lanes), self.prelude)
        return f"*({qualifier}{kind}*)&{place}"

    def _one(self, node: Expr, kids: list[C], within: bool) -> C:
        match node:
            case Const():
                return const(node, self.prelude)
            case Var():
                return self._variable(node)
            case Builtin():
                return self._builtin(node)
            case Unary():
                return self._unary(node, kids[0])
            case Binary():
                return self._binary(node, kids[0], kids[1], within)
            case Cast():
                return self._cast(node, kids[0])
            case Select():
                return self._select(node, kids)
            case _:
                return self._compound(node, kids)

    def _compound(self, node: Expr, kids: list[C]) -> C:
        match node:
            case Load():
                text = self._place(node.tensor, kids[0].text, node.type.lanes)
                level = UNARY if node.type.lanes > 1 else UNARY + 1
                return C(text, level, *node.type.element.bounds)
            case Atomic():
                place = self._place(node.tensor, kids[0].text, 1)
                return atomic(node, place, kids[1:], self.prelude)
            case Call():
                return self._call(node, kids)
            case Pack():
                make = maker(node.type, self.prelude)
                return C(f"{make}({', '.join(k.text for k in kids)})")
            case Extract():
                return vector.extract(kids[0], value_type(node.vector), node.lane)
            case _:
                raise AssertionError(f"{type(node).__name__} is no expression")

    def _variable(self, var: Var) -> C:
        if isinstance(var.type, TensorType):
            return C(self.names[var])
        low, high = self.bounds.get(var) or var.type.element.bounds
        return C(self.names[var], low=low, high=high)

    def _builtin(self, node: Builtin) -> C:
        group, axis = node.name.split(".")
        extents = self.launch.block if group in ("threadIdx", "blockDim") else self.launch.grid
        extent = extents["xyz".index(axis)]
        if group.endswith("Dim"):
            return C(node.name, low=extent, high=extent, wraps=True)
        return C(node.name, low=0, high=extent - 1, wraps=True)

    def _unary(self, node: Unary, a: C) -> C:
        element = node.type.element

        def rule(lanes: Sequence[C]) -> C:
            return scalar.unary(node.op, lanes[0], element, self.prelude)

        if node.type.lanes == 1:
            return rule([a])
        return vector.unary(node.op, a, node.type, rule, self.prelude)

    def _binary(self, node: Binary, a: C, b: C, within: bool) -> C:
        kind = value_type(node.a)
        element = kind.element

        def rule(lanes: Sequence[C]) -> C:
            x, y = lanes
            return scalar.binary(node.op, x, y, element, self.prelude, address=within)

        if kind.lanes == 1:
            return rule([a, b])
        return vector.binary(node.op, a, b, kind, node.type, rule, self.prelude)

    def _cast(self, node: Cast, a: C) -> C:
        source, to = value_type(node.a), node.type

        def rule(lanes: Sequence[C]) -> C:
            return cast(lanes[0], source.element, to.element, self.prelude, self.arch)

        if to.lanes == 1:
            return rule([a])
        name = f"to_{to}"
        return C(f"{vector.lanewise(name, (source,), to, rule, self.prelude)}({a.text})")

    def _select(self, node: Select, kids: list[C]) -> C:
        cond = value_type(node.cond)
        if cond.lanes == 1:
            return scalar.select(kids[0], kids[1], kids[2], node.type)

        def rule(lanes: Sequence[C]) -> C:
            return scalar.select(lanes[0], lanes[1], lanes[2], node.type.element)

        types = (cond, node.type, node.type)
        name = vector.lanewise(f"select_{node.type}", types, node.type, rule, self.prelude)
        return C(f"{name}({', '.join(k.text for k in kids)})")

    def _call(self, node: Call, kids: list[C]) -> C:
        found = self.functions.get(node.function)
        if found is not None:
            bounds = node.type.element.bounds if node.type else (0, 0)
            return C(f"{found[0]}({', '.join(k.text for k in kids)})").within(*bounds)
        types = tuple(value_type(a) for a in node.args)
        lanes = node.type.lanes if node.type else 1

        def rule(args: Sequence[C]) -> C:
            elements = tuple(t.element for t in types)
            launch = self.launch
            site = CallSite(args, elements, self.prelude, launch.threads, launch.block)
            return _rule(node)(site)

        if lanes == 1:
            return rule(kids)
        assert node.type is not None
        name = f"{node.function}_{types[0]}"
        name = vector.lanewise(name, types, node.type, rule, self.prelude)
        return C(f"{name}({', '.join(k.text for k in kids)})")


def _rule(node: Call) -> Callable[[CallSite], C]:
    rule = RULES.get(node.function)
    if rule is None:
        raise CodegenError(f"CUDA has no rule for {node.function}", span=node.span)
    return rule


def _operands(node: Expr, within: bool) -> list[tuple[Expr, bool]]:
    """The operands, each with whether it is part of an address."""
    kids = [k for k in children(node) if isinstance(k, Expr)]
    if isinstance(node, Load | Atomic):
        return [(k, place == 0) for place, k in enumerate(kids)]
    passes_on = within and isinstance(node, Binary) and node.op in _ADDRESS_OPS
    passes_on = passes_on or (within and isinstance(node, Unary) and node.op is UnaryOp.NEG)
    return [(k, passes_on) for k in kids]
