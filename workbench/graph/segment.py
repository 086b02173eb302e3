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
    from workbench.graph.told import Told


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

    def after(self, told: Told) -> Segment:
        """The segment after the cut, or the first one of the body that runs there."""
        assert self.cut is not None, "nothing comes after the last segment"
        if not told.enters:
            return self.cut.resume(told.arrays)
        assert self.cut.body is not None, "no body runs here"
        return self.cut.body.begin([a.shape for a in told.arrays])


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What has to be seen, and how it goes on.

    Attributes
    ----------
    reads : tuple of Tensor
        Whose values are needed.
    resume : callable
        From arrays to the next segment: the values of `reads`, or with a host call what that
        gave, of which shape and dtype are looked at.
    host : HostCall or None
        Is given the values of `reads`; the next segment depends on nothing but the shapes of
        what it gives. Without one, the next segment depends on the values.
    body : Origin or None
        What the host call runs, if it does: it is given the compiled body before the values.
    known : mapping of Tensor to numpy.ndarray
        Those of `reads` that are constants.
    why : str
        Which node needs what.
    """

    reads: tuple[Tensor, ...]
    resume: Callable[[Sequence[Any]], Segment]
    host: HostCall | None = None
    body: Origin | None = None
    known: Mapping[Tensor, np.ndarray] = field(default_factory=dict["Tensor", "np.ndarray"])
    why: str = ""


Runner = Callable[[Sequence[Any]], list[Any]]
"""Arrays in the order of an Origin's inputs to arrays in that of its outputs; compiled."""


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
        From a shape for each input to the first segment.
    """

    name: str
    inputs: tuple[Tensor, ...]
    output_names: tuple[str, ...]
    begin: Callable[[Sequence[tuple[int, ...]]], Segment]
