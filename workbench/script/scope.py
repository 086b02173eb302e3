"""Names of a script: which of them change, what they stand for, where they end."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.base.span import Span


class Kind(Enum):
    """What a name is; the value is how messages call it."""

    KNOWN = "a value known at translation"
    VARIABLE = "a variable"
    LOOP = "a loop variable"
    TENSOR = "a tensor"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for.

    Attributes
    ----------
    value : object
        A Var for what exists when the kernel runs, else the Python value itself.
    kind : Kind
        What it is.
    span : Span or None
        Where it got its value first.
    """

    value: object
    kind: Kind
    span: Span | None = None


@dataclass
class Scope:
    """Names by block. A block is a stretch of statements that runs as one: the function, the
    body of a loop, a branch of an if. A name lives to the end of the block that made it.

    Attributes
    ----------
    blocks : list of dict
        Open blocks, the outermost first.
    ended : dict
        Names whose block has ended, with the place where they were made.
    """

    blocks: list[dict[str, Binding]] = field(default_factory=lambda: [{}])
    ended: dict[str, Span | None] = field(default_factory=dict)

    def open(self) -> None:
        """Begin a block."""
        self.blocks.append({})

    def close(self) -> None:
        """End the innermost block and its names."""
        for name, binding in self.blocks.pop().items():
            self.ended[name] = binding.span

    def end(self, name: str) -> None:
        """End a name before its block does: the variable of a loop that was written out."""
        binding = self.blocks[-1].pop(name, None)
        if binding is not None:
            self.ended[name] = binding.span

    def find(self, name: str) -> Binding | None:
        """What `name` stands for here, if anything."""
        for block in reversed(self.blocks):
            if name in block:
                return block[name]
        return None

    def here(self, name: str) -> bool:
        """Whether `name` was made in the innermost block."""
        return name in self.blocks[-1]

    def bind(self, name: str, binding: Binding, depth: int = -1) -> None:
        """Let `name` stand for `binding` in the block number `depth`, the innermost if -1."""
        self.blocks[depth][name] = binding

    def names(self) -> list[str]:
        """All names that stand for something here."""
        return [name for block in self.blocks for name in block]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which names a function's body assigns.

    Attributes
    ----------
    all : frozenset of str
        Every name it binds, loop variables included; they are local, as in Python.
    changing : frozenset of str
        Those assigned at more than one place, or augmented: if they hold a number, it is a
        variable of the kernel. A name assigned at one place only keeps the value it gets.
    """

    all: frozenset[str]
    changing: frozenset[str]


def assigned(body: Iterable[ast.stmt]) -> Assigned:
    """The names that these statements assign; those of comprehensions are their own affair."""
    places: Counter[str] = Counter()
    loops: set[str] = set()
    for stmt in _statements(body):
        if isinstance(stmt, ast.Assign):
            places.update(n for target in stmt.targets for n in names_in(target))
        elif isinstance(stmt, ast.AnnAssign):
            places.update(names_in(stmt.target))
        elif isinstance(stmt, ast.AugAssign):
            places.update(names_in(stmt.target) * 2)
        elif isinstance(stmt, ast.For):
            loops.update(names_in(stmt.target))
    changing = frozenset(name for name, count in places.items() if count > 1)
    return Assigned(frozenset(places) | loops, changing)


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    stack: list[ast.AST] = list(body)
    while stack:
        top = stack.pop()
        if isinstance(top, ast.stmt):
            yield top
            stack.extend(ast.iter_child_nodes(top))


def names_in(target: ast.expr) -> list[str]:
    """The plain names that an assignment target binds."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Tuple | ast.List):
        return [name for each in target.elts for name in names_in(each)]
    return []


def bound_for_sure(body: Iterable[ast.stmt]) -> set[str]:
    """Names that these statements bind whichever way the kernel goes."""
    found: set[str] = set()
    for stmt in body:
        if isinstance(stmt, ast.Assign):
            found.update(n for target in stmt.targets for n in names_in(target))
        elif isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
            found.update(names_in(stmt.target))
        elif isinstance(stmt, ast.If):
            found |= bound_for_sure(stmt.body) & bound_for_sure(stmt.orelse)
    return found


def similar(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` may have been meant for."""
    candidates = sorted(set(known) - {name})
    for each in candidates:
        if each.lower() == name.lower():
            return each
    close = difflib.get_close_matches(name, candidates, n=3, cutoff=0.65)
    # of equally close ones, that which begins the same
    return max(close, key=lambda each: _closeness(name, each), default=None)


def _closeness(name: str, other: str) -> tuple[float, int]:
    ratio = difflib.SequenceMatcher(None, name, other).ratio()
    same = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False))
    )
    return round(ratio, 2), same
