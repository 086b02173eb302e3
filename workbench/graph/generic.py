"""Programs that differ in numbers alone, as one program with these numbers as parameters.

A program is compared by its text, cut at its numbers. What a generic program knows of a number is
what it is clamped to when it starts; a number that would be changed by that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.ir import build
from workbench.ir.expr import Atomic, Const, Expr, Load, Var
from workbench.ir.module import Level, Module
from workbench.ir.parse import parse
from workbench.ir.stmt import Allocate, Declare, For, Seq, Stmt, Store
from workbench.ir.text import text
from workbench.ir.traverse import rewrite, walk
from workbench.ir.types import DType, Scope, TensorType, f32, i32, i64

if TYPE_CHECKING:
    from workbench.ir.node import Node

_FLOAT = r"(?<![\w.])(?:\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)"
_REAL = re.compile(_FLOAT + r"(?![\w.])")
_NUMBER = re.compile(_FLOAT + r"(?=f32\b)|(?<![\w.])(?<!e[-+])\d+(?=i64\b|[^\w.]|$)", re.MULTILINE)
_REMARK = re.compile(r"^ *#.*\n|  #.*$", re.MULTILINE)
_GRID = re.compile(r"\) launch\(grid=\d+")
_HEAD = ") launch(grid="
_RIGID = re.compile(
    r"(?<=, block=).*|^ *(?:register |shared .* @ |for .* unroll|for .* in (?!range)).*",
    re.MULTILINE,
)
"""What takes no variable: threads, register tensors, layouts, unrolled loops, mappings."""
_HIDDEN = str.maketrans("0123456789", "".join(chr(0x2080 + n) for n in range(10)))
_SHOWN = {after: before for before, after in _HIDDEN.items()}
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_OWN = re.compile(r"\b(slot|given|stride)_\d")
_SHARED = re.compile(r" *shared (?!.* @ )")
_LEAST = 2
"""Elements of an array: of one with a single element no index would be computed."""

_LARGEST = 2**31 - 2**20
"""Elements of a tensor: code adds small offsets to its indices in 32 bits."""

Places = tuple[int, ...]
Number = int | float


class Unfit(WorkbenchError):
    """A number stands where no variable can."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A program as text, cut at its numbers; the grid is left out.

    Attributes
    ----------
    pieces, numbers : tuple
        Text, and what stands between two pieces.
    blocks : int
        Of the launch.
    """

    pieces: tuple[str, ...]
    numbers: tuple[Number, ...]
    blocks: int

    def module(self) -> Module:
        """The program itself."""
        return self.exact.module(self)

    @property
    def exact(self) -> Generic:
        """What it has in common with itself."""
        return Generic(dict(enumerate(self.numbers)), (), (), {}, self.blocks)

    @classmethod
    def of(cls, module: Module) -> Outline | None:
        """That of a module; None where numbers may stand in other places than its kernel."""
        launch = module.kernel.launch
        assert launch is not None
        found = cut(module)
        if found is None:
            return None
        pieces, words = found
        return cls(pieces, tuple(map(number, words)), launch.blocks)

    @property
    def rows(self) -> list[tuple[str, Places]]:
        """The lines, a zero byte for each number, and which numbers stand in each."""
        rows: list[tuple[str, Places]] = []
        count = 0
        for line in "\0".join(self.pieces).split("\n"):
            held = line.count("\0")
            rows.append((line, tuple(range(count, count + held))))
            count += held
        return rows

    @property
    def shapes(self) -> list[Places]:
        """Which numbers are the shape of each array that is passed, in order."""
        head = next(line for line, _ in self.rows if _HEAD in line).partition(_HEAD)[0]
        counts = [group.count("\0") for group in _BRACKETS.findall(head)]
        ends = list(accumulate(counts))
        return [tuple(range(end - n, end)) for n, end in zip(counts, ends, strict=True)]


def cut(module: Module) -> tuple[tuple[str, ...], list[str]] | None:
    """A module's text between its numbers, and these as text; None where it has no outline."""
    kernel, launch = module.kernel, module.kernel.launch
    assert launch is not None
    large = any(isinstance(p.type, TensorType) and p.type.size > _LARGEST for p in kernel.params)
    if module.tables or len(module.functions) > 1 or launch.grid[1:] != (1, 1) or large:
        return None
    plain = replace(module, functions=(replace(kernel, name="kernel"),))
    whole = _GRID.sub(_HEAD, _REMARK.sub("", text(plain)), count=1)
    head, mark, body = whole.partition(_HEAD)
    level, _, head = head.rpartition("func ")
    # wrapped or not, a head is the same
    body = _RIGID.sub(lambda m: m[0].translate(_HIDDEN), body)
    # a number says in what follows it what its type is; i32 is not said
    body = _REAL.sub(r"\g<0>f32", body)
    whole = f"{level}func {' '.join(head.split())}{mark}{body}"
    return tuple(_NUMBER.split(whole)), _NUMBER.findall(whole)


def rigid(piece: str) -> str:
    """Text that takes no variable, as it was."""
    return piece.translate(_SHOWN)


def hidden(value: Number) -> str:
    """A number in text that takes no variable."""
    return str(value).translate(_HIDDEN)


def number(word: str) -> Number:
    """A number of an outline, from its text."""
    return int(word) if word.isdigit() else float(word)


@dataclass(frozen=True, slots=True)
class Slot:
    """Places of a program that are one parameter of the generic one.

    Attributes
    ----------
    places : tuple of int
        Which numbers; all are equal.
    low, high : int
        What it may be, when it is an integer.
    kind : DType
        i32, i64 or f32.
    """

    places: Places
    low: int
    high: int
    kind: DType

    @classmethod
    def of(cls, places: Sequence[int], values: Sequence[Number], kind: DType, margin: int) -> Slot:
        """For some values, and so many times larger ones."""
        whole = [0] if kind == f32 else [int(v) for v in values]
        return cls(tuple(places), min(1, *whole), _above(margin * max(whole) + 1) - 1, kind)

    def takes(self, value: Number) -> bool:
        """Whether it may be `value`."""
        return self.kind == f32 or self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Generic:
    """What the programs of an outline have in common.

    Attributes
    ----------
    fixed : mapping of int to number
        Places that are part of it: which, and what they must be.
    slots : tuple of Slot
        Its parameters, after the tensors.
    arrays : tuple of tuple of int
        The shapes of parameters that are no numbers; of such an array it is known that it has
        two elements.
    rooms : mapping of tuple of int to int
        Places whose product, the size of a shared tensor, must not exceed the other.
    blocks : int
        Blocks of a launch, at most.
    """

    fixed: Mapping[int, Number]
    slots: tuple[Slot, ...]
    arrays: tuple[Places, ...]
    rooms: Mapping[Places, int]
    blocks: int

    @classmethod
    def of(cls, seen: Sequence[Outline], margin: int = 4) -> Generic:
        """That of some programs of one outline, and of others so many times larger."""
        values = list(zip(*(each.numbers for each in seen), strict=True))
        rooms: dict[Places, int] = {}
        open_ = {n for n, found in enumerate(values) if len(set(found)) > 1}
        arrays = [places for places in seen[0].shapes if open_.intersection(places)]
        for line, places in seen[0].rows:
            if _SHARED.match(line) and open_.intersection(places):
                sizes = (prod(int(e.numbers[n]) for n in places) for e in seen)
                rooms[places] = _above(margin * max(sizes))
        groups: dict[tuple[DType, tuple[Number, ...]], list[int]] = {}
        fixed: dict[int, Number] = {}
        for n, found in enumerate(values):
            if n in open_:
                groups.setdefault((_kind(seen[0].pieces[n + 1]), found), []).append(n)
            else:
                fixed[n] = found[0]
        slots = tuple(Slot.of(places, v, kind, margin) for (kind, v), places in groups.items())
        blocks = _above(margin * max(each.blocks for each in seen))
        return cls(fixed, slots, tuple(arrays), rooms, blocks)

    def arguments(self, program: Outline) -> list[Number] | None:
        """What it is called with to be the program; None where that cannot be."""
        numbers = program.numbers
        if program.blocks > self.blocks:
            return None
        if any(numbers[n] != value for n, value in self.fixed.items()):
            return None
        if any(prod(numbers[n] for n in room) > most for room, most in self.rooms.items()):
            return None
        if any(prod(numbers[n] for n in shape) < _LEAST for shape in self.arrays):
            return None
        found = [numbers[slot.places[0]] for slot in self.slots]
        for value, slot in zip(found, self.slots, strict=True):
            if not slot.takes(value) or any(numbers[n] != value for n in slot.places):
                return None
        return found

    def module(self, program: Outline) -> Module:
        """It as a program, a parameter for each slot.

        Parameters
        ----------
        program : Outline
            One of those it was made of.

        Raises
        ------
        WorkbenchError
            When a number stands where no variable can.
        """
        if any(_OWN.search(piece) for piece in program.pieces):
            raise Unfit("the program has names like those that are made here")
        whole = parse("\n".join(self._lines(program)).translate(_SHOWN))
        for loop in (n for n in walk(whole.kernel) if isinstance(n, For)):
            if not isinstance(loop.step, Const):
                raise Unfit("the step of a loop is a number")
        body = whole.kernel.body
        body = body if isinstance(body, Seq) else Seq((body,))
        count = len(self.slots)
        slots = [s.var for s in body.body[:count] if isinstance(s, Declare)]
        assert len(slots) == count, "each slot is declared at the start"
        storage = _Storage(dict(zip(self.slots, slots, strict=True)), program)
        inner = Seq(body.body[count:])
        flat = rewrite(inner, storage.rule, storage.renamed(self, whole))
        kernel = replace(
            whole.kernel,
            params=tuple(storage.new.get(p, p) for p in whole.kernel.params),
            body=Seq((*body.body[:count], *storage.strides, *flat.body)),
        )
        return replace(whole, functions=(kernel,))

    def _lines(self, program: Outline) -> list[str]:
        """Its text, but that tensors have the shapes of `program`."""
        name = {n: f"slot_{k}" for k, slot in enumerate(self.slots) for n in slot.places}
        lines: list[str] = []
        for line, places in program.rows:
            head, known = _HEAD in line, _HEAD in line or places in self.rooms
            words = line.split("\0")
            for k, n in enumerate(places):
                found = None if known else name.get(n)
                words[k] += found or str(program.numbers[n])
                kind = _kind(words[k + 1])
                words[k + 1] = words[k + 1].removeprefix(kind.name if found or kind == f32 else "")
            lines.append("".join(words))
            if head:
                lines[-1] = self._head(lines[-1])
                lines += [f"  {self._declared(k, slot)}" for k, slot in enumerate(self.slots)]
        return lines

    def _head(self, line: str) -> str:
        given = "".join(f", given_{k}: {slot.kind}" for k, slot in enumerate(self.slots))
        return line.replace(_HEAD, f"{given}{_HEAD}{self.blocks}", 1)

    @staticmethod
    def _declared(k: int, slot: Slot) -> str:
        if slot.kind == f32:
            return f"let slot_{k}: f32 = given_{k}"
        low, high = (f"{n}{'' if slot.kind == i32 else 'i64'}" for n in (slot.low, slot.high))
        return f"let slot_{k}: {slot.kind} = min(max(given_{k}, {low}), {high})"


class _Storage:
    """Tensors whose extents are slots, as tensors of one dimension."""

    def __init__(self, slots: Mapping[Slot, Var], program: Outline) -> None:
        self.new: dict[Var, Var] = {}
        self.strides: list[Stmt] = []
        self._script = True
        self._slot = {n: var for slot, var in slots.items() for n in slot.places}
        self._program = program
        self._steps: dict[Var, list[Expr]] = {}
        self._made: dict[tuple[object, ...], Expr] = {}

    def renamed(self, generic: Generic, module: Module) -> Mapping[Var, Var]:
        """The tensors that change, and what they become."""
        self._script = module.level is Level.SCRIPT
        params = [p for p in module.kernel.params if isinstance(p.type, TensorType)]
        for param, places in zip(params, self._program.shapes, strict=True):
            self._flatten(param, places, _LEAST)
        shared = [places for line, places in self._program.rows if _SHARED.match(line)]
        made = [n.var for n in walk(module.kernel) if isinstance(n, Allocate)]
        made = [var for var in made if var.tensor.scope is Scope.SHARED and not var.tensor.layout]
        for var, places in zip(made, shared, strict=True):
            self._flatten(var, places, generic.rooms.get(places, 0))
        return self.new

    def _flatten(self, var: Var, places: Places, size: int) -> None:
        kind = var.tensor
        if not any(n in self._slot for n in places):
            return
        self.new[var] = new = Var(var.name, replace(kind, shape=(size,)), span=var.span)
        rank = range(len(places)) if self._script else (len(places) - 1,)
        self._steps[new] = [self._stride(places[d + 1 :]) for d in rank]

    def _stride(self, places: Places) -> Expr:
        """The product of some numbers, declared once where slots are among them."""
        slots = sorted((self._slot[n] for n in places if n in self._slot), key=lambda v: v.uid)
        known = (int(self._program.numbers[n]) for n in places if n not in self._slot)
        factor = prod(known)
        if not slots:
            return build.const(factor)
        if len(slots) == 1 and factor == 1:
            return slots[0]
        key = (factor, *slots)
        if key not in self._made:
            value = build.mul(*slots, factor)
            self._made[key] = var = Var(f"stride_{len(self._made)}", i32)
            self.strides.append(Declare(var, value))
        return self._made[key]

    def rule(self, node: Node) -> Node | None:
        """An access of such a tensor, by the address in elements."""
        if isinstance(node, Var) and node in self.new:
            raise Unfit("a tensor is passed on")
        if not isinstance(node, Load | Store | Atomic) or node.tensor not in self._steps:
            return None
        kind = (node if isinstance(node, Load) else node.value).type
        steps = self._steps[node.tensor]
        if not isinstance(kind, DType) or kind.lanes > 1 or len(node.index) != len(steps):
            raise Unfit("an access of several elements, or by address")
        bits = max(i.type.bits for i in node.index if isinstance(i.type, DType))
        kind = i64 if bits == 64 else i32
        terms = [
            build.mul(build.cast(i, kind), build.cast(step, kind))
            for i, step in zip(node.index, steps, strict=True)
        ]
        return replace(node, index=(build.add(*terms),))


def _kind(after: str) -> DType:
    """The type of a number, by what follows it."""
    return next((kind for kind in (i64, f32) if after.startswith(kind.name)), i32)


def _above(number: int) -> int:
    """The first power of two that is no less, as far as it fits in 32 bits."""
    return min(1 << max(4, (number - 1).bit_length()), 2**31 - 1)
