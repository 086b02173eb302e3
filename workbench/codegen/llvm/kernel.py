"""A module as LLVM IR: one function that runs blocks of the kernel, and the launch around it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from workbench.base.doc import Line
from workbench.base.errors import CodegenError
from workbench.base.names import safe_name
from workbench.codegen.llvm.divide import floor_divide, floor_modulus
from workbench.codegen.llvm.emit import Emitter, literal, memory_type
from workbench.codegen.llvm.fission import allocated, plan
from workbench.codegen.llvm.frame import Frame, Jump, new_slot, write_slot
from workbench.codegen.llvm.inlining import inline_barriers
from workbench.codegen.llvm.place import SCRATCH_ALIGN, SLACK_BYTES, Storage
from workbench.codegen.llvm.region import keep, region
from workbench.codegen.llvm.stmt import inline, statement
from workbench.codegen.llvm.uniform import uniformity
from workbench.codegen.llvm.value import integer, opaque, shared
from workbench.codegen.llvm.warp import WARP, WARP_LANES
from workbench.codegen.source import Source
from workbench.ir.expr import Call, Var
from workbench.ir.module import Launch, Level, Module, Table
from workbench.ir.text import number
from workbench.ir.traverse import walk
from workbench.ir.types import DType, Scope, TensorType, i32

INLINE_LIMIT = 8
"""Calls of an approximation that LLVM may inline."""

_LOOPS = ("for_", "while", "slice")
"""How the labels of loops begin that a kernel has of its own."""


def generate(module: Module, *, lanes: int = 16, extras: Set[str] = frozenset()) -> Source:
    """LLVM IR that runs the kernel of a module on a CPU.

    Parameters
    ----------
    module : Module
        At level lowered, verified.
    lanes : int
        Threads that run together: elements of 32 bits in the machine's vectors. A kernel with
        warp operations runs 32 together on every machine, unless its blocks have fewer threads.
    extras : set of str
        What the machine has for vectors of 16 lanes, or of as many as it has: ``vnni`` multiplies
        bytes by fours, ``scalef`` multiplies by powers of two.

    Returns
    -------
    Source
        Its function ``name(ptr args, i64 first, i64 last, ptr scratch)`` runs the blocks from
        `first` to before `last`, numbered with x fastest. `args` holds one pointer per parameter,
        to the array or to the number; `scratch` is aligned to 64 bytes.

    Raises
    ------
    CodegenError
        When a barrier stands in control flow that parts the threads of a block, or a device
        function with one returns midway.
    """
    numbers = number(module)
    module = inline_barriers(module, numbers)
    kernel, launch = module.kernel, module.kernel.launch
    if module.level is not Level.LOWERED or launch is None:
        raise CodegenError(f"{kernel.name} is no lowered kernel", span=kernel.span)
    calls = (n for f in module.functions for n in walk(f) if isinstance(n, Call))
    if launch.threads > lanes and any(n.function in WARP for n in calls):
        lanes = WARP_LANES
    facts = uniformity(module, kernel, params_vary=False)
    cut = plan(kernel, facts)
    e = Emitter(lanes, extras)
    f = Frame(e, module, launch, kernel, facts, numbers, inline, region, cut)
    scratch_bytes = _storage(f, module)
    e.span = kernel.span
    _launch(f, launch)
    return _source(f, scratch_bytes)


def _storage(f: Frame, module: Module) -> int:
    """Places of all tensors and kept values; gives the size of the scratch memory [byte]."""
    kernel = f.function
    shared_tensors = allocated(kernel, Scope.SHARED)
    arrays = [p for p in kernel.params if isinstance(p.type, TensorType)]
    kept = sorted(f.cut.kept, key=lambda v: v.uid)
    tables = [t.var for t in module.tables]
    f.tags = _tags([*arrays, *shared_tensors, *kept])
    for i, var in enumerate(kernel.params):
        if var in arrays:
            f.places[var] = _place(f, var, f"%{safe_name(var.name)}.p{i}")
    for i, var in enumerate(tables):
        f.places[var] = Storage(f"@table.{i}", var.tensor.dtype, var.tensor.size)
    offset = SLACK_BYTES
    for var in shared_tensors:
        at = f.e.name(var.name)
        f.prologue.append(f"  {at} = getelementptr i8, ptr %scratch, i64 {offset}")
        f.places[var] = replace(_place(f, var, at), own=True)
        offset += -(-var.tensor.size_bytes // SCRATCH_ALIGN) * SCRATCH_ALIGN
    offset += SLACK_BYTES
    groups = -(-f.launch.threads // f.e.lanes)
    for var in kept:
        f.kept[var] = keep(var, f.e.lanes, offset)
        offset += f.kept[var].stride * groups
        if isinstance(var.type, TensorType):
            f.places[var] = replace(_place(f, var, ""), per_lane=True)
    return offset


def _place(f: Frame, var: Var, pointer: str) -> Storage:
    kind = var.tensor
    return Storage(pointer, kind.dtype, kind.size, f.tags.get(var, ""))


def _tags(tensors: list[Var]) -> dict[Var, str]:
    """Metadata by which LLVM knows that no two tensors share memory; see `_scopes`."""
    count = len(tensors)
    return {
        var: f", !alias.scope !{count + 1 + i}, !noalias !{2 * count + 1 + i}"
        for i, var in enumerate(tensors)
    }


def _scopes(names: list[str]) -> list[str]:
    """Node 0 is the domain; then a scope, a list of it, and a list of all others per tensor."""
    count = len(names)
    if not count:
        return []
    lines = ['!0 = distinct !{!0, !"tensors"}']
    lines += [f'!{i + 1} = distinct !{{!{i + 1}, !0, !"{n}"}}' for i, n in enumerate(names)]
    lines += [f"!{count + 1 + i} = !{{!{i + 1}}}" for i in range(count)]
    for i in range(count):
        others = ", ".join(f"!{j + 1}" for j in range(count) if j != i)
        lines.append(f"!{2 * count + 1 + i} = !{{{others}}}")
    return lines


def _launch(f: Frame, launch: Launch) -> None:
    """The loop over blocks."""
    e = f.e
    for i, var in enumerate(f.function.params):
        at = e.let(f"getelementptr ptr, ptr %args, i64 {i}")
        if isinstance(var.type, TensorType):
            e.line(f"{f.places[var].pointer} = load ptr, ptr {at}")
        else:
            _scalar_argument(f, var, e.let(f"load ptr, ptr {at}"))
    counter = e.alloca("i64", "block")
    e.line(f"store i64 %first, ptr {counter}")
    head, body, leave, done = (e.label(n) for n in ("blocks", "block", "next_block", "done"))
    e.start(head)
    number = e.let(f"load i64, ptr {counter}", "block")
    e.branch(e.let(f"icmp slt i64 {number}, %last"), body, done)
    e.start(body)
    _coordinates(f, launch, number)
    f.jumps = [Jump(leave, None)]
    f.in_block = True
    statement(f, f.function.body)
    e.start(leave)
    e.line(f"store i64 {e.let(f'add i64 {number}, 1')}, ptr {counter}")
    e.jump(head)
    e.start(done)
    e.line("ret void")


def _scalar_argument(f: Frame, var: Var, at: str) -> None:
    kind, e = var.type, f.e
    assert isinstance(kind, DType)
    name = e.let(f"load {memory_type(kind)}, ptr {at}", var.name)
    if kind.kind == "b":
        name = e.let(f"icmp ne i8 {name}, 0", var.name)
    f.values[var] = (opaque(kind, name),)
    if var in f.facts.mutable:
        f.slots[var] = new_slot(f, var.name, kind, uniform=True)
        write_slot(f, f.slots[var], f.values[var])


def _coordinates(f: Frame, launch: Launch, number: str) -> None:
    e = f.e
    x, y, z = launch.grid
    place = shared(i32, e.let(f"trunc i64 {number} to i32"), 0, launch.blocks - 1)
    if launch.blocks >= 2**31:
        raise CodegenError(f"a grid of {launch.blocks} blocks is more than the CPU counts")
    row = floor_divide(e, place, integer(i32, x))
    coordinates = (
        floor_modulus(e, place, integer(i32, x)) if y * z > 1 else place,
        floor_modulus(e, row, integer(i32, y)) if z > 1 else row,
        floor_divide(e, row, integer(i32, y)),
    )
    for i, axis in enumerate("xyz"):
        f.builtins[f"blockIdx.{axis}"] = coordinates[i]
        f.builtins[f"blockDim.{axis}"] = integer(i32, launch.block[i])
        f.builtins[f"gridDim.{axis}"] = integer(i32, launch.grid[i])
        f.builtins[f"threadIdx.{axis}"] = integer(i32, 0)


def _source(f: Frame, scratch_bytes: int) -> Source:
    e, kernel = f.e, f.function
    entry = f"wb.{safe_name(kernel.name)}"
    head = [
        f"; {kernel.name}: {f.launch.threads} threads a block, {e.lanes} at a time",
        *(f"; {note}" for note in kernel.notes),
        "",
        *(_table(i, t) for i, t in enumerate(f.module.tables)),
        f"define void @{entry}(ptr %args, i64 %first, i64 %last, ptr noalias %scratch) {{",
        "entry:",
        *e.allocas,
        *f.prologue,
    ]
    # a block of one group was written for a CPU: its loops are as they should be
    straight = f.launch.threads <= e.lanes or not (
        f.cut.lifted or any(line.text.startswith(_LOOPS) for line in e.lines)
    )
    tail = ["}", "", *_functions(e, straight), *e.declarations.values(), ""]
    tail += _scopes([safe_name(v.name) for v in f.tags])
    start = [Line(text, kernel.span if text.startswith("define") else None) for text in head]
    lines = (*start, *e.lines, *(Line(row) for text in tail for row in text.split("\n")))
    text = "\n".join(n.text for n in lines) + "\n"
    return Source("llvm", entry, text, lines, scratch_bytes, straight)


def _functions(e: Emitter, straight: bool) -> list[str]:
    """Approximations; one that is called in many places stays a function, or LLVM inlines each."""
    few = "alwaysinline " if straight else ""
    found: list[str] = []
    for name, text in e.functions.items():
        calls = sum(f"@{name}(" in line.text for line in e.lines)
        how = "noinline " if calls > INLINE_LIMIT else few
        found.append(text.replace(") {", f") {how}{{", 1))
    return found


def _table(place: int, table: Table) -> str:
    kind = table.var.tensor.dtype
    one = memory_type(kind)
    values = ", ".join(
        f"i8 {int(v != 0)}" if kind.kind == "b" else f"{one} {literal(v, kind)}"
        for v in table.values
    )
    return f"@table.{place} = internal constant [{len(table.values)} x {one}] [{values}], align 64"
