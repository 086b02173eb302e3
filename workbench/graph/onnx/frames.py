"""Where an import stands: the graphs that are open, one inside the other, and their names.

A body of If, Loop, Scan or of a function is a frame on a stack, not a call of a call, so that an
import can stop in the middle of any of them and go on later, from a copy, with what it was missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.names import shown
from workbench.graph.onnx.node import DEEPEST
from workbench.graph.onnx.row import Outputs, Result

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.onnx.functions import Functions
    from workbench.graph.onnx.node import Node
    from workbench.graph.tensor import Tensor

LONGEST = 50_000
"""Nodes that one import looks at: functions that call functions can be exponentially many."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A graph with its names resolved: the whole, a branch, the body of a loop.

    Attributes
    ----------
    inputs, outputs : tuple of str
        Names.
    nodes : tuple of Node
        Each after all that it reads.
    initializers : mapping of str to numpy.ndarray
        Weights.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    initializers: Mapping[str, np.ndarray]


@dataclass(slots=True, eq=False)
class Frame:
    """One open graph.

    Attributes
    ----------
    nodes : sequence of Node
        In order.
    names : dict of str to Tensor
        What is known so far.
    outputs : sequence of str
        Names that are asked for at the end.
    functions : Functions
        Opsets in force.
    node : Node or None
        Whose body it is; None for the whole.
    blamed : Node or None
        The model's own node that is named in messages; None: the frame's own nodes are.
    then : callable or None
        As `Enter.then`; None gives the outputs as they are.
    sees : bool
        Whether names of the frame below are visible.
    held : tuple of Tensor
        What `then` needs.
    left_out : frozenset of str
        Inputs of a function that its caller does not give.
    place : int
        The node that is next.
    before : int
        Operators that there were when it was opened.
    """

    nodes: Sequence[Node]
    names: dict[str, Tensor]
    outputs: Sequence[str]
    functions: Functions
    node: Node | None = None
    blamed: Node | None = None
    then: Callable[[Builder, Outputs], Result] | None = None
    sees: bool = False
    held: tuple[Tensor, ...] = ()
    left_out: frozenset[str] = frozenset()
    place: int = 0
    before: int = 0


@dataclass(slots=True)
class Stack:
    """The open frames, the innermost last."""

    frames: list[Frame]
    seen: int = field(default=0)

    @property
    def top(self) -> Frame:
        """The innermost frame."""
        return self.frames[-1]

    def find(self, name: str) -> Tensor | None:
        """The tensor of a name, as the innermost frame sees it."""
        for frame in reversed(self.frames):
            if name in frame.names:
                return frame.names[name]
            if not frame.sees:
                return None
        return None

    def tensor(self, name: str) -> Tensor | None:
        """As `find`, None where it is left out.

        Raises
        ------
        ModelError
            For a name that nobody gave a meaning.
        """
        found = self.find(name) if name else None
        if found is None and name and not any(name in f.left_out for f in self.frames):
            raise ModelError(
                f'"{shown(name)}" is no input, no initializer and no output that a node gives'
            )
        return found

    def push(self, frame: Frame) -> None:
        """Open a frame.

        Raises
        ------
        ModelError
            When there are too many.
        """
        if len(self.frames) >= DEEPEST:
            raise ModelError(f"graphs and functions stand more than {DEEPEST} deep in one another")
        self.frames.append(frame)

    def count(self) -> None:
        """One more node is looked at.

        Raises
        ------
        ModelError
            When there were too many.
        """
        self.seen += 1
        if self.seen > LONGEST:
            raise ModelError(f"the graph has more than {LONGEST} nodes when it is written out")

    def copy(self) -> Stack:
        """One that can go on by itself."""
        return Stack([replace(f, names=dict(f.names)) for f in self.frames], self.seen)

    def needed(self) -> list[Tensor]:
        """All that the nodes still to come may read, each once, always in the same order."""
        found: dict[Tensor, None] = {}
        for depth, frame in enumerate(self.frames, 1):
            below = Stack(self.frames[:depth])
            left = frame.nodes[frame.place :]
            read = (n for node in left for n in (*node.inputs, *node.captured))
            names = dict.fromkeys((*frame.outputs, *read))
            found |= {t: None for n in names if n and (t := below.find(n)) is not None}
            found |= dict.fromkeys(frame.held)
        return list(found)
