"""Indices become one flat address: layouts and dimensions go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from workbench.base.errors import PassError
from workbench.ir.build import add, binary, cast, const, floordiv, floormod, mul
from workbench.ir.expr import Atomic, BinaryOp, Expr, Load, Var, value_type
from workbench.ir.module import Function, Level, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Store
from workbench.ir.target import Target
from workbench.ir.traverse import rewrite, variables
from workbench.ir.types import DType, TensorType, i32, i64
from workbench.mapping import Layout, Piece, row_major
from workbench.passes.base import Pass

NARROW = 2**31
"""Elements up to which an address fits in i32."""


@dataclass(frozen=True)
class LowerTensors(Pass):
    """Each access gets one index, the address in elements; a layout becomes arithmetic.

    Addresses are i32, or i64 in a tensor of more than 2**31 - 1 elements.
    """

    def __call__(self, module: Module, target: Target) -> Module:
        """The module at level `lowered`."""
        del target
        if module.level is Level.LOWERED:
            return module
        functions = tuple(map(_function, module.functions))
        return replace(module, functions=functions, level=Level.LOWERED)


def _function(function: Function) -> Function:
    plain: dict[Var, Var] = {}
    layouts: dict[Var, Layout] = {}
    for var in variables(function):
        if not isinstance(var.type, TensorType):
            continue
        layout = var.type.layout
        new = var
        if layout is not None:
            kind = replace(var.type, shape=(layout.size,), layout=None)
            new = plain[var] = Var(var.name, kind, span=var.span)
        layouts[new] = layout or row_major(*var.type.extents)

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Load | Store | Atomic):
            return None
        lanes = 1
        if isinstance(node, Load):
            lanes = node.type.lanes
        elif isinstance(node, Store) and isinstance(node.value.type, DType):
            lanes = node.value.type.lanes
        layout = layouts[node.tensor]
        if lanes > 1:
            _check_vector(node, layout, lanes)
        return replace(node, index=(address(node.index, layout),))

    return rewrite(function, rule, plain)


def address(index: tuple[Expr, ...], layout: Layout) -> Expr:
    """The address of an index in elements, as the layout says."""
    wide = layout.size >= NARROW or prod(layout.shape) >= NARROW or any(map(_wide, index))
    kind = i64 if wide else i32
    terms = [
        _piece(cast(place, kind), piece)
        for place, pieces in zip(index, layout.pieces, strict=True)
        for piece in pieces
    ]
    found = add(*terms) if terms else const(0, kind)
    for swizzle in layout.swizzles:
        mask = ((1 << swizzle.bits) - 1) << swizzle.base
        shifted = binary(BinaryOp.SHR, found, swizzle.shift)
        read = binary(BinaryOp.BITAND, shifted, mask)
        found = binary(BinaryOp.BITXOR, found, read)
    return found


def _wide(index: Expr) -> bool:
    """Whether an index may have values that i32 does not."""
    kind = value_type(index)
    return kind.bits == 64 or kind.name == "u32"


def _piece(index: Expr, piece: Piece) -> Expr:
    digit = index if piece.div == 1 else floordiv(index, piece.div)
    return mul(digit if piece.mod is None else floormod(digit, piece.mod), piece.stride)


def _check_vector(node: Load | Store | Atomic, layout: Layout, lanes: int) -> None:
    """Neighbours along the last dim, from a multiple of `lanes` on, must be so in memory."""
    last = layout.pieces[-1]
    straight = bool(last) and last[-1].div == 1 and last[-1].stride == 1
    whole = straight and (last[-1].mod is None or last[-1].mod % lanes == 0)
    kept = all(1 << s.base >= lanes for s in layout.swizzles)
    if not (whole and kept) or layout.shape[-1] < lanes:
        raise PassError(
            f"{lanes} neighbours of {node.tensor.name} along the last dimension do not lie side by "
            f"side under {layout}",
            node.span,
            "load them one by one, or choose a layout whose last dimension runs fastest",
        )
