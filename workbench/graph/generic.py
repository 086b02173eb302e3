"""Programs that differ in numbers alone, as one program with these numbers as parameters.

A program is compared by its text, cut at its numbers. What a generic program knows of a number is
what it is clamped to when it starts; a number that would be changed by that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.graph.outline import HEAD, Number, Outline, Places, kind_of, rigid, spreads
from workbench.ir import build
from workbench.ir.expr import Atomic, BinaryOp, Const, Expr, Load, Var
from workbench.ir.module import Level, Module
from workbench.ir.parse import parse
from workbench.ir.stmt import Allocate, Break, Continue, Declare, For, ForTask, If, Seq, Stmt, Store
from workbench.ir.traverse import rewrite, walk
from workbench.ir.types import DType, Scope, TensorType, f32, i32, i64

if TYPE_CHECKING:
    from workbench.ir.node import Node

_OWN = re.compile(r"\b(slot|given|stride)_\d")
_LEAST = 2
"""Elements of an array: of one with a single element no index would be computed."""


class Unfit(WorkbenchError):
    """A number stands where no variable can."""


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
    grids : tuple of tuple of int
        Places whose product is the number of blocks.
    blocks : int
        Blocks of a launch, at most.
    """

    fixed: Mapping[int, Number]
    slots: tuple[Slot, ...]
    arrays: tuple[Places, ...]
    rooms: Mapping[Places, int]
    grids: tuple[Places, ...]
    blocks: int

    @classmethod
    def exact(cls, program: Outline) -> Generic:
        """What a program has in common with itself."""
        return cls(dict(enumerate(program.numbers)), (), (), {}, (), program.blocks)

    @classmethod
    def of(cls, seen: Sequence[Outline], margin: int = 4, room: int = 4) -> Generic:
        """That of some programs of one outline, and of others with numbers that are `margin` times
        larger, and shared tensors `room` times.
        """
        values = list(zip(*(each.numbers for each in seen), strict=True))
        rooms: dict[Places, int] = {}
        open_ = {n for n, found in enumerate(values) if len(set(found)) > 1}
        arrays = [places for places in seen[0].shapes if open_.intersection(places)]
        for places in seen[0].shared:
            if open_.intersection(places):
                sizes = (prod(int(e.numbers[n]) for n in places) for e in seen)
                rooms[places] = _above(room * max(sizes))
        groups: dict[tuple[DType, tuple[Number, ...]], list[int]] = {}
        fixed: dict[int, Number] = {}
        for n, found in enumerate(values):
            if n in open_:
                groups.setdefault((kind_of(seen[0].pieces[n + 1]), found), []).append(n)
            else:
                fixed[n] = found[0]
        slots = tuple(Slot.of(places, v, kind, margin) for (kind, v), places in groups.items())
        whole = zip(*(each.spreads for each in seen), strict=True)
        grids = tuple(each[0][0] for each in whole if all(alone for _, alone in each))
        blocks = _above(margin * max(each.blocks for each in seen))
        return cls(fixed, slots, tuple(arrays), rooms, grids, blocks)

    @classmethod
    def whole(cls, program: Outline) -> Module:
        """The module of a program."""
        return cls.exact(program).module(program)

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
        if any(prod(numbers[n] for n in grid) != program.blocks for grid in self.grids):
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
        whole = parse(rigid("\n".join(self._lines(program))))
        for loop in (n for n in walk(whole.kernel) if isinstance(n, For)):
            if not isinstance(loop.step, Const):
                raise Unfit("the step of a loop is a number")
        body = whole.kernel.body
        body = body if isinstance(body, Seq) else Seq((body,))
        count = len(self.slots)
        slots = [s.var for s in body.body[:count] if isinstance(s, Declare)]
        assert len(slots) == count, "each slot is declared at the start"
        opened = _Opened(dict(zip(self.slots, slots, strict=True)), program)
        inner = Seq(body.body[count:])
        flat = rewrite(inner, opened.rule, opened.renamed(self, whole))
        kernel = replace(
            whole.kernel,
            params=tuple(opened.new.get(p, p) for p in whole.kernel.params),
            body=Seq((*body.body[:count], *opened.strides, *flat.body)),
        )
        return replace(whole, functions=(kernel,))

    def _lines(self, program: Outline) -> list[str]:
        """Its text, but that tensors and mappings have the extents of `program`."""
        name = {n: f"slot_{k}" for k, slot in enumerate(self.slots) for n in slot.places}
        name |= {n: None for places, _ in program.spreads for n in places}
        lines: list[str] = []
        for line, places in program.rows:
            head, known = HEAD in line, HEAD in line or places in self.rooms
            words = line.split("\0")
            for k, n in enumerate(places):
                found = None if known else name.get(n)
                words[k] += found or str(program.numbers[n])
                kind = kind_of(words[k + 1])
                words[k + 1] = words[k + 1].removeprefix(kind.name if found or kind == f32 else "")
            lines.append("".join(words))
            if head:
                lines[-1] = self._head(lines[-1])
                lines += [f"  {self._declared(k, slot)}" for k, slot in enumerate(self.slots)]
        return lines

    def _head(self, line: str) -> str:
        given = "".join(f", given_{k}: {slot.kind}" for k, slot in enumerate(self.slots))
        return line.replace(HEAD, f"{given}{HEAD}{self.blocks}", 1)

    @staticmethod
    def _declared(k: int, slot: Slot) -> str:
        if slot.kind == f32:
            return f"let slot_{k}: f32 = given_{k}"
        low, high = (f"{n}{'' if slot.kind == i32 else 'i64'}" for n in (slot.low, slot.high))
        return f"let slot_{k}: {slot.kind} = min(max(given_{k}, {low}), {high})"


class _Opened:
    """Tensors whose extents are slots, as tensors of one dimension; mappings, as divisions."""

    def __init__(self, slots: Mapping[Slot, Var], program: Outline) -> None:
        self.new: dict[Var, Var] = {}
        self.strides: list[Stmt] = []
        self._script = True
        self._slot = {n: var for slot, var in slots.items() for n in slot.places}
        self._program = program
        self._steps: dict[Var, list[Expr]] = {}
        self._made: dict[tuple[object, ...], Expr] = {}
        self._spread: dict[Var, tuple[Places, bool]] = {}

    def renamed(self, generic: Generic, module: Module) -> Mapping[Var, Var]:
        """The tensors that change, and what they become."""
        on_blocks = [n for n in walk(module.kernel) if isinstance(n, ForTask) and spreads(n)]
        for loop, (places, _) in zip(on_blocks, self._program.spreads, strict=True):
            if any(n in self._slot for n in places):
                self._spread[loop.vars[0]] = places, places in generic.grids
        self._script = module.level is Level.SCRIPT
        params = [p for p in module.kernel.params if isinstance(p.type, TensorType)]
        for param, places in zip(params, self._program.shapes, strict=True):
            self._flatten(param, places, _LEAST)
        made = [n.var for n in walk(module.kernel) if isinstance(n, Allocate)]
        made = [var for var in made if var.tensor.scope is Scope.SHARED and not var.tensor.layout]
        for var, places in zip(made, self._program.shared, strict=True):
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
        """An access of such a tensor, by the address in elements; the task of a block."""
        if isinstance(node, ForTask) and node.vars[0] in self._spread:
            return self._tasks(node, *self._spread[node.vars[0]])
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

    def _tasks(self, loop: ForTask, places: Places, whole: bool) -> Stmt:
        """The body for the task of this block; `whole` says that every block has one."""
        if any(isinstance(n, Break | Continue) for n in walk(loop.body)):
            raise Unfit("a task is left before its end, which takes a loop")
        coordinates: list[Stmt] = []
        for d, (var, n) in enumerate(zip(loop.vars, places, strict=True)):
            value = build.floordiv(loop.worker, self._stride(places[d + 1 :]))
            # there is no task past the last one
            value = build.floormod(value, self._stride((n,))) if d else value
            assert isinstance(var.type, DType)
            coordinates.append(Declare(var, build.cast(value, var.type), span=loop.span))
        body = build.seq(*coordinates, loop.body)
        low = build.binary(BinaryOp.LE, 0, loop.worker)
        high = build.binary(BinaryOp.LT, loop.worker, self._stride(places))
        return body if whole else If(build.all_of(low, high), body, span=loop.span)


def _above(number: int) -> int:
    """The first power of two that is no less, as far as it fits in 32 bits."""
    return min(1 << max(4, (number - 1).bit_length()), 2**31 - 1)
