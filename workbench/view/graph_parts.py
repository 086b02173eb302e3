"""What a graph screen knows, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn, from its top left corner [px]."""

    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class NodeView:
    """An operator, an input or an output.

    Attributes
    ----------
    name, detail, origin : str
        What it does; the tensor it gives and its attributes; the model's nodes it comes from.
    role : str
        ``anchor``, ``prologue``, ``epilogue``, ``operator``, ``input`` or ``output``.
    group : int
        Number of its group, or -1.
    box : Box
        Where it is drawn before fusion.
    """

    name: str
    detail: str
    origin: str
    role: str
    group: int
    box: Box = Box()


@dataclass(frozen=True, slots=True)
class GroupView:
    """Operators that share a kernel; inputs and outputs stand alone.

    Attributes
    ----------
    name : str
        Of the kernel.
    nodes : tuple of int
        Its operators in order.
    moved : str
        What the kernel reads and writes, in words.
    saved : str
        Launches and bytes that a kernel for each of its operators would take more, in words.
    number : int
        Of the kernel in the order in which they run, from 0; -1 for what stands alone.
    """

    name: str
    nodes: tuple[int, ...]
    moved: str
    box: Box = Box()
    saved: str = ""
    number: int = -1


@dataclass(frozen=True, slots=True)
class EdgeView:
    """A tensor that flows.

    Attributes
    ----------
    source, target : int
        Nodes before fusion, groups after.
    tensor : str
        Its name and type.
    reason : int
        Number of the reason why it stays, from 1; 0 where there is none.
    route : tuple of float
        x and y of the control points of its curve, one after the other.
    value : int
        Number of the tensor among those that the graph's operators make, -1 for an input. A
        screen that asks for a cut names it so: names may repeat.
    """

    source: int
    target: int
    tensor: str
    reason: int = 0
    route: tuple[float, ...] = ()
    value: int = -1


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after fusion; `before` is empty where nothing is compared."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class KernelChange:
    """A kernel that is there only with the cuts, or only without.

    Attributes
    ----------
    name, moved : str
        Of the kernel; what it reads and writes, in words.
    group : int
        Number among the kernels in the order in which they run, with or without the cuts.
    new : bool
        Whether it is there with them.
    """

    name: str
    moved: str
    group: int
    new: bool


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What cuts change.

    Attributes
    ----------
    values : tuple of int
        Numbers of the tensors that are to be stored.
    tensors : tuple of str
        Their names and types.
    changes : tuple of Change
        Figures without and with the cuts; a time is predicted, not measured.
    kernels : tuple of KernelChange
        Those that go, then those that come.
    """

    values: tuple[int, ...]
    tensors: tuple[str, ...]
    changes: tuple[Change, ...]
    kernels: tuple[KernelChange, ...]


@dataclass(frozen=True, slots=True)
class GraphView:
    """What a graph screen knows.

    Attributes
    ----------
    name, summary : str
        Of the model; its inputs and sizes in words.
    nodes, edges : tuples
        Operators and tensors before fusion.
    groups, stored : tuples
        Kernels and the tensors stored between them; empty before `optimize`.
    reasons : tuple of str
        Why stored tensors are stored; an edge names its number.
    changes : tuple of Change
        Launches and bytes.
    before, after : Box
        Size of the two drawings; zero where no Graphviz could be had.
    note : str
        What is not drawn, in words.
    first, total : int
        Number of the first operator that is drawn, and how many there are.
    what_if : WhatIf or None
        What the cuts change that the graph was given.
    """

    name: str
    summary: str
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    groups: tuple[GroupView, ...]
    stored: tuple[EdgeView, ...]
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    before: Box
    after: Box
    note: str = ""
    first: int = 0
    total: int = 0
    what_if: WhatIf | None = None
    kind: Literal["graph"] = "graph"
    version: Literal[1] = 1
