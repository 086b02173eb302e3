"""Strided stores put together: four stores of every fourth element become wide ones.

Stores whose lanes are apart wait until something could see the difference; then those to one
tensor that stand in a fixed distance are written as runs of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.codegen.llvm.value import Offsets, Value

Pick = tuple[int, int]
"""Number of a waiting store, and the lane."""


class _Writer(Protocol):
    """What of an Emitter, which knows this module, is needed here."""

    waiting: list[Waiting]
    lanes: int

    def let(self, text: str, hint: str = ...) -> str: ...
    def shuffle(self, kind: str, a: str, b: str, width: int, picks: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class Waiting:
    """A store that has not been written yet.

    Attributes
    ----------
    pointer : str
        The tensor.
    index : Value
        One address per lane.
    vector : str
        What is stored, in the memory type `kind`.
    write : callable
        Gets offset, width, operand: stores neighbours there.
    """

    pointer: str
    index: Value
    vector: str
    kind: str
    write: Callable[[int, int, str], None]

    @property
    def offsets(self) -> Offsets:
        """Distance of each lane from the shared part of the address."""
        return self.index.offsets


def wait(e: _Writer, new: Waiting) -> None:
    """Take in a store of all lanes; earlier ones that it may overwrite are written first."""
    for old in e.waiting:
        if old.pointer == new.pointer:
            apart = old.index.scalar == new.index.scalar and not (
                set(old.offsets) & set(new.offsets)
            )
            if not apart:
                flush(e)
                break
    e.waiting.append(new)


def settle(e: _Writer, pointer: str) -> None:
    """Write what waits for this tensor, before it is accessed otherwise."""
    if any(w.pointer == pointer for w in e.waiting):
        flush(e)


def flush(e: _Writer) -> None:
    """Write all stores that wait."""
    waiting, e.waiting = e.waiting, []
    groups: dict[tuple[str, str | None], list[Waiting]] = {}
    for each in waiting:
        groups.setdefault((each.pointer, each.index.scalar), []).append(each)
    for group in groups.values():
        _write(e, group)


def _write(e: _Writer, group: list[Waiting]) -> None:
    holder: dict[int, Pick] = {
        offset: (i, lane) for i, w in enumerate(group) for lane, offset in enumerate(w.offsets)
    }
    for start, width in _chunks(sorted(holder), e.lanes):
        picks = [holder[start + i] for i in range(width)]
        group[0].write(start, width, _gathered(e, group, picks))


def _chunks(offsets: list[int], lanes: int) -> list[tuple[int, int]]:
    """Runs of neighbours cut into powers of two, at most `lanes` wide."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(offsets):
        end = start
        while end + 1 < len(offsets) and offsets[end + 1] == offsets[end] + 1:
            end += 1
        length = end - start + 1
        width = min(lanes, 1 << length.bit_length() - 1)
        found.append((offsets[start], width))
        start += width
    return found


def _gathered(e: _Writer, group: list[Waiting], picks: Sequence[Pick]) -> str:
    """A vector of the picked elements, two sources at a time."""
    width, kind, lanes = len(picks), group[0].kind, e.lanes
    if width == 1:
        store, lane = picks[0]
        return e.let(f"extractelement <{lanes} x {kind}> {group[store].vector}, i64 {lane}")
    sources = sorted({store for store, _ in picks})
    parts: list[tuple[str, set[int]]] = []
    for i in range(0, len(sources), 2):
        pair = sources[i : i + 2]
        order = [pair.index(s) * lanes + lane if s in pair else -1 for s, lane in picks]
        other = group[pair[1]].vector if len(pair) > 1 else "poison"
        name = e.shuffle(kind, group[pair[0]].vector, other, lanes, order)
        parts.append((name, {at for at, (s, _) in enumerate(picks) if s in pair}))
    while len(parts) > 1:
        merged: list[tuple[str, set[int]]] = []
        for i in range(0, len(parts) - 1, 2):
            (a, mine), (b, theirs) = parts[i], parts[i + 1]
            order = [
                at if at in mine else width + at if at in theirs else -1 for at in range(width)
            ]
            merged.append((e.shuffle(kind, a, b, width, order), mine | theirs))
        parts = merged + parts[len(merged) * 2 :]
    return parts[0][0]
