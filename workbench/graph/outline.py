"""Programs as text, cut at their numbers: what is the same in two that differ in numbers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING

from workbench.ir.text import text
from workbench.ir.types import DType, TensorType, f32, i32, i64

if TYPE_CHECKING:
    from workbench.ir.module import Module
    from workbench.ir.stmt import ForTask

_FLOAT = r"(?<![\w.])(?:\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)"
_REAL = re.compile(_FLOAT + r"(?![\w.])")
_NUMBER = re.compile(_FLOAT + r"(?=f32\b)|(?<![\w.])(?<!e[-+])\d+(?=i64\b|[^\w.]|$)", re.MULTILINE)
_REMARK = re.compile(r"^ *#.*\n|  #.*$", re.MULTILINE)
_GRID = re.compile(r"\) launch\(grid=\d+")
HEAD = ") launch(grid="
_RIGID = re.compile(
    r"(?<=, block=).*|^ *(?:register |shared .* @ |for .* unroll"
    r"|for .* in (?!range|spatial\([\d, ]*\)\.on\(blockIdx)).*",
    re.MULTILINE,
)
"""What takes no variable: threads and their mappings, register tensors, layouts, unrolled loops."""
_HIDDEN = str.maketrans("0123456789", "".join(chr(0x2080 + n) for n in range(10)))
_SHOWN = {after: before for before, after in _HIDDEN.items()}
_GONE = dict.fromkeys(map(ord, "0123456789"))
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_SHARED = re.compile(r" *shared (?!.* @ )")
_SPREAD = re.compile(r" *for .* in spatial\(([\0, ]*)\)\.on\(blockIdx\.x(\)$)?")

_LARGEST = 2**31 - 2**20
"""Elements of a tensor: code adds small offsets to its indices in 32 bits."""

Places = tuple[int, ...]
Number = int | float


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
    def shared(self) -> list[Places]:
        """Which numbers are the shape of each shared tensor without a layout, in order."""
        return [places for line, places in self.rows if _SHARED.match(line)]

    @property
    def spreads(self) -> list[tuple[Places, bool]]:
        """Of each mapping of tasks to blocks, in order: which numbers are its extents, and whether
        there is a block for each task and no other.
        """
        found = [(_SPREAD.match(line), places) for line, places in self.rows]
        extents = [(places[: line[1].count("\0")], line[2]) for line, places in found if line]
        return [
            (places, bool(alone) and prod(self.numbers[n] for n in places) == self.blocks)
            for places, alone in extents
        ]

    @property
    def shapes(self) -> list[Places]:
        """Which numbers are the shape of each array that is passed, in order."""
        head = next(line for line, _ in self.rows if HEAD in line).partition(HEAD)[0]
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
    whole = _GRID.sub(HEAD, _REMARK.sub("", text(plain)), count=1)
    head, mark, body = whole.partition(HEAD)
    level, _, head = head.rpartition("func ")
    # wrapped or not, a head is the same
    body = _RIGID.sub(lambda m: m[0].translate(_HIDDEN), body)
    # a number says in what follows it what its type is; i32 is not said
    body = _REAL.sub(r"\g<0>f32", body)
    whole = f"{level}func {' '.join(head.split())}{mark}{body}"
    return tuple(_NUMBER.split(whole)), _NUMBER.findall(whole)


def spreads(loop: ForTask) -> bool:
    """Whether a mapping is one of `Outline.spreads`."""
    return bool(_SPREAD.match(f"for _ in {loop.mapping}.on({text(loop.worker)})".translate(_GONE)))


def rigid(piece: str) -> str:
    """Text that takes no variable, as it was."""
    return piece.translate(_SHOWN)


def hidden(value: Number) -> str:
    """A number in text that takes no variable."""
    return str(value).translate(_HIDDEN)


def number(word: str) -> Number:
    """A number of an outline, from its text."""
    return int(word) if word.isdigit() else float(word)


def kind_of(after: str) -> DType:
    """The type of a number, by what follows it."""
    return next((kind for kind in (i64, f32) if after.startswith(kind.name)), i32)
