"""A loop over the groups of threads of a block, between two barriers."""

from __future__ import annotations

from dataclasses import replace

from workbench.codegen.llvm.arith import binary
from workbench.codegen.llvm.divide import floor_divide, floor_modulus
from workbench.codegen.llvm.emit import memory_type
from workbench.codegen.llvm.frame import Frame, Kept, Slot
from workbench.codegen.llvm.jumps import function_jump
from workbench.codegen.llvm.place import ALL, SCRATCH_ALIGN, Mask
from workbench.codegen.llvm.stmt import allocate, declare, sequence
from workbench.codegen.llvm.value import Value, integer, shared, with_offsets
from workbench.ir.expr import BinaryOp, Var
from workbench.ir.node import Node
from workbench.ir.stmt import Stmt
from workbench.ir.traverse import variables
from workbench.ir.types import DType, TensorType, i32


def keep(var: Var, lanes: int, offset: int) -> Kept:
    """The place of a scalar or register tensor from `offset` on."""
    kind = var.type
    count = kind.size if isinstance(kind, TensorType) else kind.lanes
    element = kind.dtype if isinstance(kind, TensorType) else kind
    size = count * lanes * element.bits // 8
    return Kept(offset, -(-size // SCRATCH_ALIGN) * SCRATCH_ALIGN)


def region(f: Frame, body: list[Stmt]) -> None:
    """Generate statements without barriers for all threads of the block."""
    e, threads = f.e, f.launch.threads
    groups = -(-threads // e.lanes)
    outer = dict(f.values), dict(f.slots), dict(f.places), f.builtins, f.jumps, f.mask, f.escaped
    f.in_block = False
    name, following, after = "0", "0", e.label("region_end")
    head, end = e.label("region"), e.label("group_end")
    if groups > 1:
        before, name, following = e.label("regions"), e.name("group"), e.name("group")
        e.start(before)
        e.start(head)
        e.line(f"{name} = phi i32 [ 0, %{before} ], [ {following}, %{end} ]")
    _enter(f, _first(f, name, groups), groups, body)
    f.jumps = [function_jump(f, end)]
    sequence(f, body)
    e.start(end)
    if groups > 1:
        e.line(f"{following} = add nuw nsw i32 {name}, 1")
        e.branch(e.let(f"icmp ult i32 {following}, {groups}"), head, after)
        e.start(after)
    f.values, f.slots, f.places, f.builtins, f.jumps, f.mask, f.escaped = outer
    f.in_block = True


def _first(f: Frame, name: str, groups: int) -> Value:
    """The number of the group."""
    return integer(i32, 0) if groups == 1 else shared(i32, name, 0, groups - 1)


def _enter(f: Frame, group: Value, groups: int, body: list[Stmt]) -> None:
    """Coordinates, mask and kept values of the threads of a group."""
    e = f.e
    first = binary(e, BinaryOp.MUL, group, integer(i32, e.lanes))
    thread = with_offsets(first, tuple(range(e.lanes)))
    f.mask = ALL
    active = binary(e, BinaryOp.LT, thread, integer(i32, f.launch.threads))
    if active.scalar != "true":
        f.mask = Mask(e.vector(active))
    f.builtins = {**f.builtins, **_coordinates(f, thread)}
    used = _used(f, body)
    for var in sorted(used, key=lambda v: v.uid):
        if var in f.kept:
            _bind(f, var, group)
        elif isinstance(var.type, TensorType):
            allocate(f, var)
    mask, f.mask = f.mask, ALL
    for var in f.facts.declared:  # in text order, so that what a value needs comes first
        if var in f.cut.remade and var in used:
            declare(f, f.facts.declared[var])
    f.mask = mask


def _coordinates(f: Frame, thread: Value) -> dict[str, Value]:
    x, y, z = f.launch.block
    e = f.e
    if y == z == 1:
        return {"threadIdx.x": thread}
    row = floor_divide(e, thread, integer(i32, x))
    found = {"threadIdx.x": floor_modulus(e, thread, integer(i32, x)), "threadIdx.y": row}
    if z > 1:
        found["threadIdx.y"] = floor_modulus(e, row, integer(i32, y))
        found["threadIdx.z"] = floor_divide(e, row, integer(i32, y))
    return found


def _used(f: Frame, body: list[Stmt]) -> set[Var]:
    """Variables that the statements need, those of remade declarations included."""
    found: set[Var] = set()
    todo: list[Node] = list(body)
    while todo:
        for var in variables(todo.pop()) - found:
            found.add(var)
            if var in f.cut.remade:
                made = f.facts.declared[var].value
                assert made is not None
                todo.append(made)
    return found


def _bind(f: Frame, var: Var, group: Value) -> None:
    """Addresses of this group's part of a kept variable."""
    e, at = f.e, f.kept[var]
    base = e.let(f"getelementptr i8, ptr %scratch, i64 {at.offset}", var.name)
    if group.known is None:
        step = e.let(f"zext i32 {e.scalar(group)} to i64")
        bytes_ = e.let(f"mul nuw nsw i64 {step}, {at.stride}")
        base = e.let(f"getelementptr i8, ptr {base}, i64 {bytes_}", var.name)
    kind = var.type
    if isinstance(kind, TensorType):
        f.places[var] = replace(f.places[var], pointer=base)
        return
    assert isinstance(kind, DType)
    one = f"<{e.lanes} x {memory_type(kind)}>"
    pointers = [
        base,
        *(e.let(f"getelementptr {one}, ptr {base}, i64 {i}") for i in range(1, kind.lanes)),
    ]
    f.slots[var] = Slot(tuple(pointers), kind.element, uniform=False, tag=f.tags.get(var, ""))
