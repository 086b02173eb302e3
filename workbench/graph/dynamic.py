"""A graph that is compiled when it is called: for the shapes of the call, and what it computes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.compile import CompiledGraph, Step, compile_graph
from workbench.graph.family import Families
from workbench.graph.graph import Graph
from workbench.graph.memory import MemoryPlan
from workbench.graph.partition import Partition, partition
from workbench.graph.programs import schedule_graph
from workbench.graph.replay import Replay
from workbench.graph.rewrite import rewrite_graph
from workbench.graph.segment import Segment
from workbench.graph.tensor import Tensor
from workbench.graph.ways import Ways
from workbench.graph.workspace import kinds
from workbench.ir.types import Dim, TensorType
from workbench.mapping.check import counted
from workbench.runtime.arguments import Parameter, bind

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.kernel import Kernel
    from workbench.graph.replay import Recording
    from workbench.graph.segment import Cut, Origin, Runner
    from workbench.graph.tuned import Choices
    from workbench.ir.target import Target
else:
    np = lazy("numpy")

Array = Any

KEPT = 32
"""Specialisations that are kept, for shapes and again at each cut; the oldest goes."""


@dataclass(slots=True, eq=False)
class _Part:
    """A compiled segment, and those that came after it so far."""

    segment: Segment
    compiled: CompiledGraph | None
    bodies: list[DynamicGraph]
    after: _Parts = field(default_factory=OrderedDict[object, "_Part"])


_Parts = OrderedDict[object, _Part]


class DynamicGraph(CompiledGraph):
    """A graph whose shapes, or whose operators, depend on what it is called with.

    Each call looks up what was compiled for its shapes, and for the data that decide how it goes
    on; what is new is imported and compiled then. What it tells of its kernels, groups and memory
    covers all that is compiled so far.

    Parameters
    ----------
    origin : Origin
        What to import.
    outline : Graph
        The model's nodes, for who looks at it before a call.
    target : Target
        What the kernels are for.
    fuse : bool or None
        Whether segments share kernels among operators; None does not even rewrite them.
    choices : Choices, optional
        Templates that a tuning found.

    Attributes
    ----------
    ways : Ways
        What was recorded of earlier calls, to serve other extents.
    """

    def __init__(
        self,
        origin: Origin,
        outline: Graph,
        target: Target,
        fuse: bool | None,
        choices: Choices | None = None,
    ) -> None:
        super().__init__(outline, Partition((), ()), (), target)
        self._origin = origin
        self._fuse = fuse
        self._choices = choices
        self._first: _Parts = OrderedDict()
        self._bodies: list[DynamicGraph] = []
        self._lock = threading.RLock()
        self._families = Families()
        self.ways = Ways(origin.inputs, self._record)
        self._checked: set[Hashable] = set()

    @property
    def graph(self) -> Graph:
        """The operators of all that is compiled, the model's nodes before."""
        graphs = [p.compiled.graph for p in self._parts() if p.compiled]
        if not graphs:
            return self._graph
        return Graph(
            self._graph.name,
            self._graph.inputs,
            graphs[-1].outputs,
            graphs[-1].output_names,
            tuple(op for g in graphs for op in g.operators),
            {t: a for g in graphs for t, a in g.constants.items()},
        )

    @property
    def partition(self) -> Partition:
        """Groups of all that is compiled."""
        parts = [p.compiled.partition for p in self._parts() if p.compiled]
        groups = tuple(g for each in parts for g in each.groups)
        return Partition(groups, tuple(u for each in parts for u in each.unfused))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Launches of all that is compiled."""
        return tuple(s for p in self._parts() if p.compiled for s in p.compiled.steps)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels of all that is compiled."""
        every = (k for p in self._parts() if p.compiled for k in p.compiled.kernels)
        return tuple(dict.fromkeys(every))

    @property
    def memory(self) -> MemoryPlan:
        """Places of all that is compiled; segments have arenas of their own."""
        plans = [p.compiled.memory for p in self._parts() if p.compiled]
        offsets = {t: place for m in plans for t, place in m.offsets.items()}
        arena = sum(m.arena_bytes for m in plans)
        return MemoryPlan(offsets, arena, sum(m.total_bytes for m in plans))

    def _parts(self) -> Iterator[_Part]:
        """What is compiled, the bodies of loops included."""
        with self._lock:
            waiting = list(self._first.values())
            for part in waiting:
                waiting += part.after.values()
        for part in waiting:
            yield part
            for body in part.bodies:
                yield from body._parts()

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the graph; see `CompiledGraph`. Named extents are those of the arrays.

        Raises
        ------
        LaunchError
            When an input is missing, unknown or does not fit, or inputs disagree on an extent.
        ModelError
            When the model has no meaning for these shapes or data.
        """
        kind = kinds(inputs)
        if kind not in self._checked:
            arrays = self._fitting(inputs)
            if kind is not None:
                self._checked = {*self._checked, kind} if len(self._checked) < KEPT else {kind}
        else:
            # arrays just like these have been looked at in a call before
            arrays = [inputs[t.name] for t in self._origin.inputs]
        return dict(zip(self._origin.output_names, self.run_arrays(arrays), strict=True))

    def _fitting(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The arrays in the order of the inputs, once they are all there and fit."""
        self._check_names(inputs)
        sized, params = self._sized
        dims = bind(shown(self._origin.name), params, [inputs[name] for name in sized])
        wanted = self._origin.inputs
        return [self._input(_bound(t, inputs[t.name], dims), inputs[t.name]) for t in wanted]

    @cached_property
    def _sized(self) -> tuple[list[str], list[Parameter]]:
        """The inputs whose dimensions are known by name or number."""
        found = [t for t in self._origin.inputs if t.shape]
        params = [Parameter(shown(t.name), TensorType(t.dtype, t.shape or ())) for t in found]
        return [t.name for t in found], params

    def run_arrays(self, arrays: Sequence[Array]) -> list[Array]:
        """Run it on arrays that fit, in the order of the inputs."""
        xp = self._xp
        shapes = tuple([a.shape for a in arrays])
        part = self._first_part(shapes)
        given = list(map(xp.asarray, arrays))
        if part.segment.cut is None and part.compiled:
            return part.compiled.run(given)
        inputs = part.segment.graph.inputs
        values: dict[Tensor, Array] = dict(zip(inputs, given, strict=True))
        while True:
            graph, cut = part.segment.graph, part.segment.cut
            made: list[Array] = []
            if part.compiled:
                made = part.compiled.run([values[t] for t in graph.inputs])
                values.update(zip(graph.outputs, made, strict=True))
            if cut is None:
                return made
            read = [cut.known[t] if t in cut.known else self._seen(values[t]) for t in cut.reads]
            if cut.host:
                read = [np.ascontiguousarray(a).reshape(np.shape(a)) for a in _hosted(cut, read)]
            part = self._after(part, cut, read)
            values.update(zip(part.segment.given, map(xp.asarray, read), strict=False))

    def _first_part(self, shapes: tuple[tuple[int, ...], ...]) -> _Part:
        """What comes first for some shapes."""
        with self._lock:
            if shapes not in self._first and self.target.kind == "cpu":
                ready = self.ways.graph(shapes)
                if ready is not None:
                    self._keep(self._first, shapes, _Part(Segment(ready.ends), ready, []))
            return self._found(self._first, shapes, lambda: self._origin.begin(shapes, self._make))

    def _record(self, recording: Recording) -> Replay | None:
        """The way that traced extents lead; None where data decide how it goes on."""
        segment = self._origin.begin(recording.shapes, None)
        if segment.cut is not None:
            return None
        graph, parts = self._parted(segment.graph)
        schedule = schedule_graph(parts, self.target, self._choices)
        return Replay(recording, graph, schedule, self._families, self.target)

    def _seen(self, array: Array) -> np.ndarray:
        return array.get() if self._gpu else array

    def _after(self, part: _Part, cut: Cut, read: Sequence[np.ndarray]) -> _Part:
        """What comes after a cut, when this was read there."""
        seen = ((a.shape, a.dtype.str, b"" if cut.host else a.tobytes()) for a in read)
        return self._found(part.after, tuple(seen), lambda: cut.resume(read))

    def _found(self, table: _Parts, key: object, make: Callable[[], Segment]) -> _Part:
        """The compiled segment of a key, made when it is not there."""
        with self._lock:
            part = table.get(key)
            if part is None:
                self._bodies = []
                segment = make()
                graph = segment.graph
                # the last one runs in any case: it gives arrays of its own
                compiled = self._compiled(graph) if graph.operators or not segment.cut else None
                part = _Part(segment, compiled, self._bodies)
                self._keep(table, key, part)
            table.move_to_end(key)
            return part

    def _keep(self, table: _Parts, key: object, part: _Part) -> None:
        table[key] = part
        while len(table) > KEPT:
            table.popitem(last=False)

    def _parted(self, graph: Graph) -> tuple[Graph, Partition]:
        """A graph after its rewrites, and its groups."""
        if self._fuse is not None:
            graph, _ = rewrite_graph(graph, self.target.kind)
        return graph, partition(graph, bool(self._fuse), self.target.kind)

    def _compiled(self, graph: Graph) -> CompiledGraph:
        graph, parts = self._parted(graph)
        return compile_graph(graph, parts, self.target, self._choices, self._families)

    def _make(self, origin: Origin) -> Runner:
        """Compiles the body of a loop, for whatever shapes it meets."""
        names = origin.output_names
        outline = Graph(origin.name, origin.inputs, (), names, (), {})
        body = DynamicGraph(origin, outline, self.target, self._fuse, self._choices)
        self._bodies.append(body)
        return body.run_arrays

    def __repr__(self) -> str:
        kernels = counted(len(self.kernels), "kernel")
        return f"CompiledGraph({shown(self._origin.name)}, {self.target}: {kernels} so far)"


def _bound(tensor: Tensor, array: Array, dims: Mapping[str, int]) -> Tensor:
    """An input with the extents of a call."""
    if tensor.shape is None:
        shape = tuple(getattr(array, "shape", ()))
    else:
        shape = tuple(dims[e.name] if isinstance(e, Dim) else e for e in tensor.shape)
    return replace(tensor, shape=shape)


def _hosted(cut: Cut, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """What the host call of a cut gives."""
    assert cut.host is not None, "a cut without a host call reads values only"
    try:
        return cut.host(*arrays)
    except WorkbenchError as error:
        error.notes = (*error.notes, f"where {cut.why}")
        raise
