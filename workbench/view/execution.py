"""A checked run, step by step: the form of the data. Nothing makes it yet, and nothing is faked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CellWrite:
    """A value that was stored.

    Attributes
    ----------
    tensor : str
        Which tensor.
    index : tuple of int
        Which element.
    value : float
        What was stored.
    thread : int
        Who stored it, counted within the block.
    line : int
        Where in the script; 0 where there is none.
    """

    tensor: str
    index: tuple[int, ...]
    value: float
    thread: int
    line: int


@dataclass(frozen=True, slots=True)
class IntervalView:
    """What a block does between two barriers.

    Attributes
    ----------
    line : int
        Line of the barrier that ends it; 0 at the end of the kernel.
    writes : tuple of CellWrite
        In the order in which the interpreter made them.
    masked : tuple of int
        Threads that did not take part.
    """

    line: int
    writes: tuple[CellWrite, ...]
    masked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """What an execution screen knows.

    Attributes
    ----------
    name : str
        Of the kernel.
    block : tuple of int
        Which block was followed.
    threads : int
        Of a block.
    intervals : tuple of IntervalView
        In order.
    note : str
        What is not shown, in words.
    """

    name: str
    block: tuple[int, int, int]
    threads: int
    intervals: tuple[IntervalView, ...]
    note: str = ""
    kind: Literal["execution"] = "execution"
    version: Literal[1] = 1
