"""A graph that is known piece by piece, because some of it depends on what a call passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.graph import Graph
    from workbench.graph.operator import HostCall
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Operators up to where data must be seen before the rest can be known.

    Attributes
    ----------
    graph : Graph
        Its inputs are the call's, or what earlier segments made; with a cut, its outputs are
        what later segments read, else those of the whole.
    given : tuple of Tensor
        What stands for the outputs of the host call of the cut before.
    cut : Cut or None
        Where it ends; None when nothing comes after it.
    """

    graph: Graph
    given: tuple[Tensor, ...] = ()
    cut: Cut | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What has to be seen, and how it goes on.

    Attributes
    ----------
    reads : tuple of Tensor
        Whose values are needed.
    resume : callable
        From arrays to the next segment: the values of `reads`, or with a host call what that gave.
    host : HostCall or None
        Is given the values of `reads`; the next segment depends on nothing but the shapes of
        what it gives. Without one, the next segment depends on the values.
    known : mapping of Tensor to numpy.ndarray
        Those of `reads` that are constants.
    why : str
        Which node needs what.
    """

    reads: tuple[Tensor, ...]
    resume: Callable[[Sequence[np.ndarray]], Segment]
    host: HostCall | None = None
    known: Mapping[Tensor, np.ndarray] = field(default_factory=dict["Tensor", "np.ndarray"])
    why: str = ""


Runner = Callable[[Sequence[Any]], list[Any]]
"""Arrays in the order of an Origin's inputs to arrays in that of its outputs; compiled."""

Make = Callable[["Origin"], Runner]
"""Compiles a part that runs many times, such as the body of a loop."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What segments are made from, once the shapes of a call are known.

    Attributes
    ----------
    name : str
        As the model calls it.
    inputs : tuple of Tensor
        What a call passes, with Dims, or without a shape.
    output_names : tuple of str
        Under which a call gives its results.
    begin : callable
        From a shape for each input to the first segment. The callable beside them compiles the
        bodies of loops; with None it tells no more than where the first segment ends.
    """

    name: str
    inputs: tuple[Tensor, ...]
    output_names: tuple[str, ...]
    begin: Callable[[Sequence[tuple[int, ...]], Make | None], Segment]
