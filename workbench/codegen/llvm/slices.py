"""Loops over accumulators, cut into slices whose accumulators fit in vector registers.

A GPU thread keeps many accumulators in registers; a group of threads on a CPU would need them
times its lanes, more than there are, and would load and store them in every turn. Such a loop is
generated once per slice of its accumulators, each time with only what the slice needs: operands
are loaded several times, accumulators once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.base.doc import Line
from workbench.codegen.llvm.capture import Capture, Key
from workbench.codegen.llvm.coalesce import flush
from workbench.codegen.llvm.emit import Emitter
from workbench.codegen.llvm.frame import Frame
from workbench.ir.expr import Atomic, Call
from workbench.ir.intrinsic import INTRINSICS, Group
from workbench.ir.stmt import Break, Continue, For, If, Return, Store, While
from workbench.ir.traverse import walk
from workbench.ir.types import Scope

_NAME = re.compile(r"%[\w.]+")
_COSTLY = re.compile(r"= (load|shufflevector|select|call|f\w+) ")


def accumulates(stmt: For) -> bool:
    """Whether a loop writes register tensors and nothing else, and never branches."""
    stores = False
    for node in walk(stmt.body):
        if isinstance(node, If | While | Break | Continue | Return | Atomic):
            return False
        if isinstance(node, Call):
            row = INTRINSICS.get(node.function)
            if row is None or row.group is not Group.THREAD:
                return False
        if isinstance(node, Store):
            if node.tensor.tensor.scope is not Scope.REGISTER:
                return False
            stores = True
    return stores


def registers(lanes: int) -> int:
    """Accumulators that a slice may have: half of the vector registers, of 16 or 32."""
    return {16: 16, 32: 8}.get(lanes, 8)


def fits(lanes: int, keys: list[Key]) -> bool:
    """Whether accumulators fit in vector registers beside the operands of one turn."""
    words = sum(2 if "double" in shape or "i64" in shape else 1 for _, _, shape, _ in keys)
    return words <= {16: 28, 32: 14}.get(lanes, 12)


@dataclass(frozen=True, slots=True)
class Counter:
    """A loop counted by known numbers.

    Attributes
    ----------
    name : str
        LLVM operand.
    kind : str
        LLVM type.
    numbers : range
        At least one.
    """

    name: str
    kind: str
    numbers: range


@dataclass
class _Graph:
    """The instructions of the body, by the name of their result."""

    lines: dict[str, Line] = field(default_factory=dict)
    needs: dict[str, list[str]] = field(default_factory=dict)

    def closure(self, roots: list[str]) -> set[str]:
        """All instructions that the values `roots` need."""
        found: set[str] = set()
        todo = [r for r in roots if r in self.lines]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(n for n in self.needs[name] if n not in found)
        return found


def sliced(f: Frame, counter: Counter, body: Callable[[], None]) -> bool:
    """Generate a loop in slices; False, with nothing generated, where that cannot be."""
    e = f.e
    if e.capture is not None or not e.open:
        return False
    flush(e)
    capture = Capture()
    e.capture, lines, known = capture, e.lines, dict(e.known)
    e.lines, block = [], e.block
    body()
    mine, e.lines, e.capture = e.lines, lines, None
    e.known = known
    # a line without a result writes memory that is no register tensor's
    effects = any(" = " not in line.text for line in mine)
    if capture.failed or effects or e.block != block or not capture.written():
        e.block, e.open = block, True
        return False
    graph = _graph(mine)
    for group in _groups(graph, capture, e.lanes):
        _loop(e, counter, graph, capture, group)
    return True


def _graph(lines: list[Line]) -> _Graph:
    graph = _Graph()
    for line in lines:
        name, mark, text = line.text.strip().partition(" = ")
        if mark:
            graph.lines[name] = line
            graph.needs[name] = [n for n in _NAME.findall(text) if n in graph.lines]
    return graph


def _groups(graph: _Graph, capture: Capture, lanes: int) -> list[list[Key]]:
    """The written places in groups that fit in registers, those with common operands together."""
    loops = [k for k in capture.written() if k in capture.initial]
    if fits(lanes, loops):
        return [capture.written()]
    number = {
        name: i
        for i, name in enumerate(n for n, line in graph.lines.items() if _COSTLY.search(line.text))
    }
    needed = {
        k: sum(1 << number[n] for n in graph.closure([capture.values[k]]) if n in number)
        for k in loops
    }
    # what an accumulator alone needs is no reason to keep it near others
    for k in loops:
        others = 0
        for other in loops:
            if other != k:
                others |= needed[other]
        needed[k] &= others
    groups: list[list[Key]] = []
    while loops:
        group = _group(loops, needed, registers(lanes))
        loops = [k for k in loops if k not in group]
        groups.append(group)
    only_written = [k for k in capture.written() if k not in capture.initial]
    if not groups:
        return [only_written]
    groups[-1] = groups[-1] + only_written
    return groups


def _group(loops: list[Key], needed: dict[Key, int], limit: int) -> list[Key]:
    have, group = 0, []
    remaining = list(loops)
    while remaining and len(group) < limit:
        best, score = remaining[0], -1.0
        for k in remaining:
            new = needed[k] & ~have
            total = have | new
            gain = sum(1 for other in remaining if not needed[other] & ~total)
            if gain / (1 + new.bit_count()) > score:
                best, score = k, gain / (1 + new.bit_count())
        have |= needed[best]
        done = [k for k in remaining if not needed[k] & ~have][: limit - len(group)]
        group += done
        remaining = [k for k in remaining if k not in done]
    return group


def _loop(e: Emitter, counter: Counter, graph: _Graph, capture: Capture, group: list[Key]) -> None:
    """One slice: accumulators in registers from the first turn to the last."""
    keep = graph.closure([capture.values[k] for k in group])
    used = {n for name in keep for n in _NAME.findall(graph.lines[name].text)}
    used |= {capture.values[k] for k in group}
    suffix = f".s{e.count}"
    renamed = {*graph.lines, *capture.initial.values(), counter.name}

    def here(text: str) -> str:
        return _NAME.sub(lambda m: m[0] + suffix if m[0] in renamed else m[0], text)

    carried = [k for k in group if k in capture.initial]
    before, head, after = e.label("slice"), e.label("turn"), e.label("endslice")
    e.start(before)
    first: dict[Key, str] = {}
    for key, name in capture.initial.items():
        if key in carried:
            first[key] = capture.load(e, key)
        elif name in used:  # read, never written in this slice
            e.line(f"{here(name)} = {capture.load_text(e, key)}")
    e.start(head)
    numbers, kind = counter.numbers, counter.kind
    here_counter, following = here(counter.name), e.name("next")
    e.line(f"{here_counter} = phi {kind} [ {numbers[0]}, %{before} ], [ {following}, %{head} ]")
    for key in carried:
        shape, last = capture.shape(key), here(capture.values[key])
        name = here(capture.initial[key])
        e.line(f"{name} = phi {shape} [ {first[key]}, %{before} ], [ {last}, %{head} ]")
    for name, line in graph.lines.items():
        if name in keep:
            e.lines.append(Line(here(line.text), line.span, line.node))
    e.line(f"{following} = add {kind} {here_counter}, {numbers.step}")
    end = numbers[-1] + numbers.step
    e.branch(e.let(f"icmp ne {kind} {following}, {end}"), head, after)
    e.start(after)
    for key in group:
        capture.store(e, key, here(capture.values[key]))
