"""A segment that is ready to run: what it takes and gives, by places among the arrays of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.compile import CompiledGraph
    from workbench.graph.operator import HostCall
    from workbench.graph.segment import Origin, Segment
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")

Array = Any


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A compiled segment.

    Attributes
    ----------
    compiled : CompiledGraph or None
        None when it computes nothing.
    tensors : tuple of Tensor
        What each array of a call stands for, once it has run: those of earlier stages, what the
        host call of the cut before gave, its outputs.
    given : int
        Arrays that come in before it runs: of the call, or of that host call.
    takes : tuple of int
        Which arrays it is run on.
    reads : tuple of int or array
        Which arrays the cut at its end reads; one that is known is there itself.
    host : HostCall or None
        What that cut calls.
    body : Origin or None
        What the host call runs.
    why : str
        As in `Cut`.
    last : bool
        Whether nothing comes after it.
    """

    compiled: CompiledGraph | None
    tensors: tuple[Tensor, ...]
    given: int
    takes: tuple[int, ...]
    reads: tuple[int | np.ndarray, ...] = ()
    host: HostCall | None = None
    body: Origin | None = None
    why: str = ""
    last: bool = True

    @classmethod
    def of(
        cls, segment: Segment, compiled: CompiledGraph | None, before: Sequence[Tensor] | None
    ) -> Stage:
        """A segment.

        Parameters
        ----------
        compiled : CompiledGraph or None
            What was made of its graph.
        before : sequence of Tensor or None
            The tensors of the stage before it; None where a graph begins.
        """
        graph, cut = segment.graph, segment.cut
        given = graph.inputs if before is None else segment.given
        known = (*(before or ()), *given)
        tensors = (*known, *graph.outputs)
        # the first of those that stand for one tensor: an output may be what was there before
        place = {t: n for n, t in reversed([*enumerate(tensors)])}
        takes = tuple(place[t] for t in graph.inputs)
        if cut is None:
            return cls(compiled, tensors, len(given), takes)
        reads = tuple(cut.known[t] if t in cut.known else place[t] for t in cut.reads)
        return cls(
            compiled, tensors, len(given), takes, reads, cut.host, cut.body, cut.why, last=False
        )

    def run(self, arrays: list[Array]) -> list[Array]:
        """What it gives; it is there among the arrays of the call as well."""
        if self.compiled is None:
            return []
        made = self.compiled.run([arrays[n] for n in self.takes])
        arrays += made
        return made

    def called(self, arrays: Sequence[np.ndarray], *body: Any) -> list[np.ndarray]:
        """What the host call of its cut gives for what it read."""
        assert self.host is not None, "a cut without a host call reads values only"
        try:
            found = self.host(*body, *arrays)
        except WorkbenchError as error:
            error.notes = (*error.notes, f"where {self.why}")
            raise
        return [np.ascontiguousarray(a).reshape(np.shape(a)) for a in found]
