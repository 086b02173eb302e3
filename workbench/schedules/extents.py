"""Extents that may vary from call to call.

A graph can be made once for many shapes (`graph.symbolic`). Its extents are then traced: they act
like the numbers of one call, and whatever is decided by looking at them binds the others.
"""

from __future__ import annotations

from typing import TypeVar

N = TypeVar("N", bound="int | float")


def rough(number: N) -> N:
    """A number to choose a schedule by.

    A choice among schedules that are all right should bind no other shape: it is made for this one
    and kept for the others.

    Examples
    --------
    >>> rough(12)
    12
    """
    return getattr(number, "value", number)


def varies(extent: int) -> bool:
    """Whether the program is to serve others as well.

    Examples
    --------
    >>> varies(12)
    False
    """
    return hasattr(extent, "value")


def divides(unit: int, extent: int) -> bool:
    """Whether an extent falls into whole units for every shape that the program is to serve.

    Of one that varies it is not known: the program should be right for any.

    Examples
    --------
    >>> divides(4, 12), divides(5, 12)
    (True, False)
    """
    if varies(unit) or varies(extent):
        return not varies(unit) and unit == 1
    return extent % unit == 0
