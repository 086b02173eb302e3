"""Two texts line by line, and in lines that changed word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.base.doc import Line

CONTEXT = 3
"""Equal lines that are shown around a change."""

MOST_LINES = 2000
"""Of a text that is compared; what comes after is left out."""

MOST_ROWS = 600
"""That a difference has."""

_MOST_WORDS = 3000
_LEAST_ALIKE = 0.35  # below that nothing is gained by saying which words are the same
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class DiffPart:
    """Some of a line, and whether it is only in one of the texts."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of a difference.

    Attributes
    ----------
    kind : str
        ``same``, ``gone``, ``new``; ``skip`` stands for `before` equal lines that are not shown.
    before, after : int
        Number of the line in each text; 0 where it is not in it.
    link : int
        Line of the script that it comes from, 0 for none.
    rules : tuple of int
        Which rules of the step worked on it, from 0; empty where none can be told.
    """

    kind: Literal["same", "gone", "new", "skip"]
    before: int
    after: int
    parts: tuple[DiffPart, ...]
    link: int = 0
    rules: tuple[int, ...] = ()


def difference(before: Sequence[Line], after: Sequence[Line]) -> tuple[tuple[DiffRow, ...], int]:
    """What changed from one text to the next, with some lines around; and how many rows are cut.

    Examples
    --------
    >>> from workbench.base.doc import Line
    >>> rows, cut = difference([Line("a = b * 2")], [Line("a = b + b")])
    >>> [(row.kind, [part.text for part in row.parts if part.changed]) for row in rows]
    [('gone', ['* 2']), ('new', ['+ b'])]
    """
    left, right = before[:MOST_LINES], after[:MOST_LINES]
    cut = max(len(before), len(after)) - max(len(left), len(right))
    rows: list[DiffRow] = []
    one, two = ([line.text for line in lines] for lines in (left, right))
    blocks = list(_blocks(one, two))
    for number, (kind, a, b, c, d) in enumerate(blocks):
        if kind == "equal":
            rows += _equal(right, (a, c, b - a), number > 0, number < len(blocks) - 1)
        else:
            gone, new = _words(one[a:b], two[c:d])
            rows += [
                DiffRow("gone", a + k + 1, 0, p, _link(left[a + k])) for k, p in enumerate(gone)
            ]
            rows += [
                DiffRow("new", 0, c + k + 1, p, _link(right[c + k])) for k, p in enumerate(new)
            ]
    return tuple(rows[:MOST_ROWS]), cut + max(0, len(rows) - MOST_ROWS)


def whole(lines: Sequence[Line]) -> tuple[tuple[DiffRow, ...], int]:
    """A text without anything to compare it with."""
    rows = tuple(_same(line, k, k) for k, line in enumerate(lines[:MOST_ROWS]))
    return rows, len(lines) - len(rows)


def _blocks(one: Sequence[str], two: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Stretches that are equal or not; what both begin and end with is found without a search."""
    least = min(len(one), len(two))
    head = next((k for k in range(least) if one[k] != two[k]), least)
    tail = next((k for k in range(least - head) if one[-1 - k] != two[-1 - k]), least - head)
    if head:
        yield "equal", 0, head, 0, head
    middle = one[head : len(one) - tail], two[head : len(two) - tail]
    for kind, a, b, c, d in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        yield kind, a + head, b + head, c + head, d + head
    if tail:
        yield "equal", len(one) - tail, len(one), len(two) - tail, len(two)


def _equal(
    lines: Sequence[Line], place: tuple[int, int, int], above: bool, below: bool
) -> Iterator[DiffRow]:
    """Equal lines, those far from a change left out; `above` and `below` say where one is."""
    a, c, count = place
    first, last = CONTEXT * above, CONTEXT * below
    skipped = count - first - last
    if skipped <= 2:
        first, skipped = count, 0
    for k in range(min(first, count)):
        yield _same(lines[c + k], a + k, c + k)
    if skipped:
        yield DiffRow("skip", skipped, 0, ())
        for k in range(count - last, count):
            yield _same(lines[c + k], a + k, c + k)


def _same(line: Line, before: int, after: int) -> DiffRow:
    return DiffRow("same", before + 1, after + 1, (DiffPart(line.text, False),), _link(line))


def _link(line: Line) -> int:
    return line.span.line if line.span else 0


Parts = tuple[DiffPart, ...]


def _words(one: Sequence[str], two: Sequence[str]) -> tuple[list[Parts], list[Parts]]:
    """The lines of both, with the words that the other does not have."""
    left, right = (_WORD.findall("\n".join(lines)) for lines in (one, two))
    known = (set[int](), set[int]())
    if one and two and len(left) + len(right) <= _MOST_WORDS:
        matcher = SequenceMatcher(str.isspace, left, right, autojunk=False)
        if matcher.ratio() >= _LEAST_ALIKE:
            for a, b, size in matcher.get_matching_blocks():
                known[0].update(range(a, a + size))
                known[1].update(range(b, b + size))
            return _lines(left, known[0]), _lines(right, known[1])
    return [(DiffPart(text, True),) for text in one], [(DiffPart(text, True),) for text in two]


def _lines(words: Sequence[str], known: set[int]) -> list[Parts]:
    """Words put together to lines again, neighbours of one kind as one part."""
    lines: list[list[DiffPart]] = [[]]
    for number, word in enumerate(words):
        for place, piece in enumerate(word.split("\n")):
            if place:
                lines.append([])
            if piece:
                lines[-1].append(DiffPart(piece, number not in known and not piece.isspace()))
    return [tuple(_joined(row)) for row in lines]


def _joined(row: Sequence[DiffPart]) -> Iterator[DiffPart]:
    """Neighbours of one kind as one part; a blank between two changes belongs to them."""
    text, changed = "", False
    for place, part in enumerate(row):
        kind = part.changed
        if part.text.isspace() and 0 < place < len(row) - 1:
            kind = changed and row[place + 1].changed
        if kind != changed and text:
            yield DiffPart(text, changed)
            text = ""
        text, changed = text + part.text, kind
    if text:
        yield DiffPart(text, changed)
