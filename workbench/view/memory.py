"""Accesses to memory: the form of the data. Nothing makes it yet, and nothing is faked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AccessView:
    """One load or store of a warp.

    Attributes
    ----------
    tensor : str
        Which tensor.
    scope : str
        ``global`` or ``shared``.
    store : bool
        Whether it stores.
    line : int
        Where in the script; 0 where there is none.
    lanes : tuple of int
        Byte address that each lane asks for, relative to the tensor; -1 for a masked lane.
    moved_bytes, used_bytes : int
        What is fetched in whole sectors, and what of it is asked for [byte].
    ways : int
        How often the access is replayed for banks that meet; 1 for global memory.
    """

    tensor: str
    scope: str
    store: bool
    line: int
    lanes: tuple[int, ...]
    moved_bytes: int
    used_bytes: int
    ways: int


@dataclass(frozen=True, slots=True)
class MemoryView:
    """What a memory screen knows.

    Attributes
    ----------
    name : str
        Of the kernel.
    accesses : tuple of AccessView
        Of the first warp, in order.
    note : str
        What is not shown, in words.
    """

    name: str
    accesses: tuple[AccessView, ...]
    note: str = ""
    kind: Literal["memory"] = "memory"
    version: Literal[1] = 1
