"""LLVM IR as text under construction: names, blocks, lanes, constants."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from workbench.base.doc import Line
from workbench.base.span import Span
from workbench.codegen.half import half_bits, rounded
from workbench.codegen.llvm.capture import Capture
from workbench.codegen.llvm.coalesce import Waiting, flush
from workbench.codegen.llvm.value import Value
from workbench.ir.types import DType

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]")
_IMPURE = ("load", "call", "atomicrmw", "cmpxchg", "phi")
_FLOATS = {32: "float", 64: "double"}


def scalar_type(kind: DType) -> str:
    """LLVM type of one lane in a register; halves travel as their bits."""
    if kind.is_float and kind.bits != 16:
        return _FLOATS[kind.bits]
    return "i1" if kind.kind == "b" else f"i{kind.bits}"


def memory_type(kind: DType) -> str:
    """LLVM type of one lane in memory."""
    return "i8" if kind.kind == "b" else scalar_type(kind)


def literal(value: int | float | bool, kind: DType) -> str:
    """A number as an LLVM constant of `kind`, exact."""
    if kind.kind == "b":
        return "true" if value else "false"
    if not kind.is_float:
        return str(kind.wrap(int(value)))
    if kind.bits == 16:
        return str(half_bits(float(value), kind.scalar))
    number = float(value)
    if kind.bits == 32:
        number = rounded(number)
    return f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"


@dataclass
class Emitter:
    """The body of one LLVM function.

    Parameters
    ----------
    lanes : int
        Threads of a group: elements of every vector.
    extras : set of str
        What the machine has for such vectors, see `generate`.
    """

    lanes: int
    extras: Set[str] = frozenset()
    lines: list[Line] = field(default_factory=list)
    allocas: list[str] = field(default_factory=list)
    declarations: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    span: Span | None = None
    node: int = 0
    count: int = 0
    block: str = "entry"
    open: bool = True
    known: dict[str, str] = field(default_factory=dict)
    capture: Capture | None = None
    waiting: list[Waiting] = field(default_factory=list)

    def name(self, hint: str = "t") -> str:
        """A local name that was not given before."""
        self.count += 1
        return f"%{_UNSAFE.sub('_', hint)}.{self.count}"

    def line(self, text: str) -> None:
        """One instruction; after a terminator it is dropped, as it cannot be reached."""
        if self.open:
            self.lines.append(Line(f"  {text}", self.span, self.node))

    def comment(self, text: str) -> None:
        """A remark for the reader."""
        self.line(f"; {text}")

    def let(self, text: str, hint: str = "t") -> str:
        """An instruction with a result; gives its name.

        Within a block the same instruction is not repeated, unless it depends on memory.
        """
        if text in self.known:
            return self.known[text]
        name = self.name(hint)
        self.line(f"{name} = {text}")
        if not text.startswith(_IMPURE):
            self.known[text] = name
        return name

    def label(self, hint: str) -> str:
        """A new label, to be placed by `start`."""
        return self.name(hint)[1:]

    def start(self, label: str) -> None:
        """Begin the block `label`, falling into it from an open one."""
        flush(self)
        if self.open:
            self.jump(label)
        self.lines.append(Line(f"{label}:", self.span, self.node))
        self.block, self.open = label, True
        self.known.clear()

    def jump(self, label: str) -> None:
        """Go to `label`; ends the block."""
        flush(self)
        self.line(f"br label %{label}")
        self.open = False

    def branch(self, condition: str, then: str, other: str) -> None:
        """Go to one of two labels; ends the block."""
        flush(self)
        self.line(f"br i1 {condition}, label %{then}, label %{other}")
        self.open = False

    def alloca(self, kind: str, hint: str) -> str:
        """Stack memory of the function, from its entry on."""
        name = self.name(hint)
        self.allocas.append(f"  {name} = alloca {kind}, align 64")
        return name

    def declare(self, result: str, name: str, parameters: Sequence[str]) -> None:
        """A function that is defined elsewhere."""
        self.declarations[name] = f"declare {result} @{name}({', '.join(parameters)})"

    def call(self, result: str, name: str, args: Sequence[tuple[str, str]]) -> str:
        """Call an outside function; arguments are (type, operand). Gives its result's name."""
        self.declare(result, name, [kind for kind, _ in args])
        text = f"call {result} @{name}({', '.join(f'{k} {o}' for k, o in args)})"
        if result == "void":
            self.line(text)
            return ""
        return self.let(text)

    @contextmanager
    def at(self, span: Span | None, node: int) -> Iterator[None]:
        """Lines inside come from this place of the source."""
        before = self.span, self.node
        self.span, self.node = span or self.span, node or self.node
        try:
            yield
        finally:
            self.span, self.node = before

    def vector_type(self, kind: DType) -> str:
        """One element per lane, in registers."""
        return f"<{self.lanes} x {scalar_type(kind)}>"

    @property
    def mask_type(self) -> str:
        """One bit per lane."""
        return f"<{self.lanes} x i1>"

    def splat(self, operand: str, kind: str, lanes: int = 0) -> str:
        """A vector with `operand` in every lane."""
        n = lanes or self.lanes
        if operand[0] != "%":
            return f"splat ({kind} {operand})"
        first = self.let(f"insertelement <{n} x {kind}> poison, {kind} {operand}, i64 0")
        return self.let(
            f"shufflevector <{n} x {kind}> {first}, <{n} x {kind}> poison, "
            f"<{n} x i32> zeroinitializer"
        )

    def shuffle(self, kind: str, a: str, b: str, width: int, picks: Sequence[int]) -> str:
        """Elements of two vectors of `width`, by number; -1 is any."""
        mask = ", ".join("i32 poison" if p < 0 else f"i32 {p}" for p in picks)
        return self.let(
            f"shufflevector <{width} x {kind}> {a}, <{width} x {kind}> {b}, "
            f"<{len(picks)} x i32> <{mask}>"
        )

    def scalar(self, value: Value) -> str:
        """Operand of a uniform value."""
        assert value.uniform, value
        assert value.scalar is not None
        offset = value.offsets[0]
        if value.scalar == "0" and value.type.is_int:
            return str(value.type.wrap(offset))
        if offset == 0:
            return value.scalar
        kind = scalar_type(value.type)
        return self.let(f"add {kind} {value.scalar}, {value.type.wrap(offset)}")

    def vector(self, value: Value) -> str:
        """Operand with one element per lane."""
        if value.vector is not None:
            return value.vector
        kind = scalar_type(value.type)
        if value.uniform:
            return self.splat(self.scalar(value), kind)
        numbers = self.numbers(value.type, value.offsets)
        assert value.scalar is not None
        if value.scalar == "0":
            return numbers
        base = self.splat(value.scalar, kind)
        return self.let(f"add <{self.lanes} x {kind}> {base}, {numbers}")

    def numbers(self, kind: DType, values: Sequence[int]) -> str:
        """A vector of integers known now."""
        one = scalar_type(kind)
        return f"<{', '.join(f'{one} {kind.wrap(v)}' for v in values)}>"

    def bits(self, values: Sequence[bool]) -> str:
        """A mask known now."""
        return f"<{', '.join('i1 true' if v else 'i1 false' for v in values)}>"
