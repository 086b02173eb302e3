"""Tables as plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Anything that would move the cursor of a terminal or colour it.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def shown(value: object) -> str:
    """A text on one line, without control characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def table(head: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> str:
    """Rows under a head, columns aligned, two blanks between.

    Parameters
    ----------
    head : sequence of str
        Name of each column.
    rows : sequence of sequences
        What stands in them.
    right : str
        A letter per column: ``r`` for right-aligned; the others are left-aligned.

    Examples
    --------
    >>> print(table(["worker", "task"], [[0, "(0, 0)"], [10, "(1, 2)"]], "rl"))
    worker  task
         0  (0, 0)
        10  (1, 2)
    """
    lines = [list(head), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = right.ljust(len(head), "l")
    return "\n".join(
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in lines
    )


def wrapped(said: str, room: int) -> list[str]:
    """The text in lines of less than `room` characters, broken at blanks.

    Examples
    --------
    >>> wrapped("who does what", 9)
    ['who does', 'what']
    """
    rows = [""]
    for word in said.split(" "):
        if rows[-1] and len(rows[-1]) + len(word) >= room:
            rows.append("")
        rows[-1] += f"{' ' if rows[-1] else ''}{word}"
    return rows
