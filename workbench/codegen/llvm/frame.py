"""The state of a function under generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.codegen.llvm.emit import Emitter, memory_type
from workbench.codegen.llvm.fission import Plan
from workbench.codegen.llvm.place import ALL, Mask, Storage, raw
from workbench.codegen.llvm.uniform import Uniformity
from workbench.codegen.llvm.value import Value, opaque, varying
from workbench.ir.expr import Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Stmt
from workbench.ir.types import DType

Parts = tuple[Value, ...]
"""A value of one lane as a tuple of one; of a short vector, one per lane of it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Memory of a local that is assigned: one place per lane of a short vector."""

    pointers: tuple[str, ...]
    kind: DType
    uniform: bool
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """Where break, continue and return of the threads of a group go.

    Attributes
    ----------
    leave, again : str or None
        Labels for jumps that all active threads take together.
    live, turn : str or None
        Masks in memory of the threads still in the loop, and still in this turn of it.
    """

    leave: str | None
    again: str | None
    live: str | None = None
    turn: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Memory of what lives across barriers: for each group, all its elements one after another.

    Attributes
    ----------
    offset : int
        Place in the scratch memory [byte].
    stride : int
        From a group to the next [byte].
    """

    offset: int
    stride: int


@dataclass
class Frame:
    """What the rules of expressions and statements share.

    Attributes
    ----------
    e : Emitter
        The text.
    builtins : dict of str to Value
        Coordinates, as far as they are known here.
    values : dict of Var to Parts
        Scalars that are not assigned again.
    slots : dict of Var to Slot
        Scalars that are.
    inline, region : callable
        Generate a call of a device function, and a loop over the groups of threads.
    cut : Plan
        Where barriers cut the kernel.
    kept : dict of Var to Kept
        Where the variables of `cut.kept` lie.
    tags : dict of Var to str
        Metadata of their accesses.
    prologue : list of str
        Lines of the entry after the stack memory.
    in_block : bool
        Whether this is code that runs once per block, not in each group of threads.
    mask : Mask
        Threads that are active here.
    jumps : list of Jump
        The function's return, then the loops around, the innermost last.
    nowhere : str
        Address that may be read when no thread is active.
    """

    e: Emitter
    module: Module
    launch: Launch
    function: Function
    facts: Uniformity
    numbers: dict[Node, int]
    inline: Callable[[Frame, str, list[Parts]], Parts]
    region: Callable[[Frame, list[Stmt]], None]
    cut: Plan = field(default_factory=Plan)
    in_block: bool = False
    kept: dict[Var, Kept] = field(default_factory=dict)
    tags: dict[Var, str] = field(default_factory=dict)
    prologue: list[str] = field(default_factory=list)
    builtins: dict[str, Value] = field(default_factory=dict)
    values: dict[Var, Parts] = field(default_factory=dict)
    slots: dict[Var, Slot] = field(default_factory=dict)
    places: dict[Var, Storage] = field(default_factory=dict)
    mask: Mask = ALL
    jumps: list[Jump] = field(default_factory=list)
    escaped: int = 0
    result: Slot | None = None

    def narrowed(self, bits: str, *, sure: bool) -> Mask:
        """The active threads that also are in `bits`."""
        if self.mask.bits is not None:
            bits = self.e.let(f"and {self.e.mask_type} {self.mask.bits}, {bits}", "mask")
        return Mask(bits, sure)


def new_slot(f: Frame, name: str, kind: DType, *, uniform: bool) -> Slot:
    """Stack memory of a local."""
    one = kind.element
    memory = memory_type(one)
    shape = memory if uniform else f"<{f.e.lanes} x {memory}>"
    return Slot(tuple(f.e.alloca(shape, name) for _ in range(kind.lanes)), one, uniform)


def read_slot(f: Frame, slot: Slot) -> Parts:
    """The present value of a local."""
    e, memory = f.e, memory_type(slot.kind)
    found: list[Value] = []
    for at in slot.pointers:
        if slot.uniform:
            name = e.let(f"load {memory}, ptr {at}{slot.tag}")
            if slot.kind.kind == "b":
                name = e.let(f"icmp ne i8 {name}, 0")
            found.append(opaque(slot.kind, name))
            continue
        name = e.let(f"load <{e.lanes} x {memory}>, ptr {at}, align 64{slot.tag}")
        if slot.kind.kind == "b":
            name = e.let(f"icmp ne <{e.lanes} x i8> {name}, zeroinitializer")
        found.append(varying(slot.kind, name))
    return tuple(found)


def write_slot(f: Frame, slot: Slot, value: Parts, *, all_lanes: bool = False) -> None:
    """A new value for a local, in the active lanes."""
    e, memory = f.e, memory_type(slot.kind)
    if slot.uniform:
        for at, part in zip(slot.pointers, value, strict=True):
            assert part.uniform, "the analysis found this value uniform"
            number = e.scalar(part)
            if slot.kind.kind == "b":
                number = e.let(f"zext i1 {number} to i8")
            e.line(f"store {memory} {number}, ptr {at}{slot.tag}")
        return
    bits = None if all_lanes else f.mask.bits
    full = f"<{e.lanes} x {memory}>"
    for at, part in zip(slot.pointers, value, strict=True):
        new = raw(e, part)
        if bits is not None:
            old = e.let(f"load {full}, ptr {at}, align 64{slot.tag}")
            new = e.let(f"select {e.mask_type} {bits}, {full} {new}, {full} {old}")
        e.line(f"store {full} {new}, ptr {at}, align 64{slot.tag}")
