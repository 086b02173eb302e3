"""A graph that is compiled when it is called: for the shapes of the call, and what it computes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.compile import CompiledGraph, Step, compile_graph, fits, of_shape
from workbench.graph.family import Families, shares
from workbench.graph.graph import Graph
from workbench.graph.memory import MemoryPlan
from workbench.graph.partition import Partition, partition
from workbench.graph.programs import schedule_graph
from workbench.graph.replay import Replay
from workbench.graph.rewrite import rewrite_graph
from workbench.graph.stage import Stage
from workbench.graph.tensor import Tensor
from workbench.graph.told import Told
from workbench.graph.ways import Ways
from workbench.graph.workspace import kinds
from workbench.ir.types import Dim, TensorType
from workbench.mapping.check import counted
from workbench.runtime.arguments import Parameter, bind

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.kernel import Kernel
    from workbench.graph.recording import Path, Recording
    from workbench.graph.segment import Origin, Segment
    from workbench.graph.tuned import Choices
    from workbench.ir.target import Target
else:
    np = lazy("numpy")

Array = Any

KEPT = 32
"""Specialisations that are kept, for shapes and again at each cut; the oldest goes."""


@dataclass(slots=True, eq=False)
class _Part:
    """A segment that was compiled for what calls told, and those that came after it so far.

    Attributes
    ----------
    path : Path
        What was told, from the beginning.
    stage : Stage
        What it became.
    before : _Part or None
        Where it goes on from; None where a graph begins.
    source : tuple of Segment and tensors, or None
        What it was made of, and all tensors of the call up to its end; None while one that was
        replayed did not need that.
    body : DynamicGraph or None
        What runs in the host call at its end.
    """

    path: Path
    stage: Stage
    before: _Part | None
    source: tuple[Segment, tuple[Tensor, ...]] | None = None
    body: DynamicGraph | None = None
    after: _Parts = field(default_factory=OrderedDict["_Key", "_Part"])


_Key = Told | tuple[tuple[int, ...], ...]
"""What was told last, the shapes of the inputs as they are."""

_Parts = OrderedDict[_Key, _Part]


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
        self._outer: Path = ()
        self._lock = threading.RLock()
        self._families = Families(target)
        self.ways = Ways(origin, self._record)
        self._checked: set[Hashable] = set()

    @property
    def graph(self) -> Graph:
        """The operators of all that is compiled, the model's nodes before."""
        graphs = [p.stage.compiled.graph for p in self._parts() if p.stage.compiled]
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
        parts = [p.stage.compiled.partition for p in self._parts() if p.stage.compiled]
        groups = tuple(g for each in parts for g in each.groups)
        return Partition(groups, tuple(u for each in parts for u in each.unfused))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Launches of all that is compiled."""
        return tuple(s for p in self._parts() if p.stage.compiled for s in p.stage.compiled.steps)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels of all that is compiled."""
        every = (k for p in self._parts() if p.stage.compiled for k in p.stage.compiled.kernels)
        return tuple(dict.fromkeys(every))

    @property
    def memory(self) -> MemoryPlan:
        """Places of all that is compiled; segments have arenas of their own."""
        plans = [p.stage.compiled.memory for p in self._parts() if p.stage.compiled]
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
            if part.body:
                yield from part.body._parts()

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

    def prepare(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Compile for some shapes ahead of a call, as far as that does not depend on data.

        Nothing is run, and no GPU is needed for it. See `CompiledGraph`.

        Raises
        ------
        LaunchError
            As a call.
        ModelError
            When the model has no meaning for these shapes.
        """
        self._check_names(shapes)
        found = {t.name: of_shape(t, shapes[t.name]) for t in self._origin.inputs}
        sized, params = self._sized
        dims = bind(shown(self._origin.name), params, [found[name] for name in sized])
        for t in self._origin.inputs:
            fits(t, _bound(t, found[t.name], dims), found[t.name])
        self._part(self._first, tuple(found[t.name].shape for t in self._origin.inputs), None)

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
        part = self._part(self._first, shapes, None)
        values = list(map(xp.asarray, arrays))
        while True:
            stage = part.stage
            made = stage.run(values)
            if stage.last:
                return made
            read = [self._seen(values[n]) if isinstance(n, int) else n for n in stage.reads]
            if stage.host:
                body = (part.body.run_arrays,) if part.body else ()
                read = stage.called(read, *body)
                told = Told.results(read)
            else:
                told = Told.values(read)
            part = self._part(part.after, told, part)
            values += map(xp.asarray, read[: part.stage.given])

    def _seen(self, array: Array) -> np.ndarray:
        return array.get() if self._gpu else array

    def _part(self, table: _Parts, key: _Key, before: _Part | None) -> _Part:
        """The segment of a key, made when it is not there."""
        with self._lock:
            part = table.get(key)
            if part is None:
                told = key if isinstance(key, Told) else Told.shapes(key, bool(self._outer))
                path = (*(before.path if before else self._outer), told)
                part = self._replayed(path, before) or self._made(path, before)
                if part.stage.body:
                    part.body = self._body(part, part.stage.body)
                self._keep(table, key, part)
            table.move_to_end(key)
            return part

    def _replayed(self, path: Path, before: _Part | None) -> _Part | None:
        """A segment by the way that another one has come."""
        if not shares(self.target):
            return None
        stage = self.ways.stage(path, before.stage.tensors if before else None)
        return stage and _Part(path, stage, before)

    def _made(self, path: Path, before: _Part | None) -> _Part:
        """A segment that is made for what was told, and for nothing else."""
        segment, known = self._source(path[-1], before)
        graph = segment.graph
        # the last one runs in any case: it gives arrays of its own
        compiled = self._compiled(graph) if graph.operators or not segment.cut else None
        stage = Stage.of(segment, compiled, known)
        return _Part(path, stage, before, (segment, stage.tensors))

    def _source(
        self, told: Told, before: _Part | None
    ) -> tuple[Segment, tuple[Tensor, ...] | None]:
        """The segment after a part, and the tensors up to where it begins."""
        if before is None:
            return self._origin.begin([a.shape for a in told.arrays]), None
        if before.source is None:
            segment, known = self._source(before.path[-1], before.before)
            before.source = segment, Stage.of(segment, None, known).tensors
        segment, known = before.source
        return segment.after(told), known

    def _record(
        self,
        recording: Recording,
        earlier: Replay | None,
        segment: Segment,
        before: Sequence[Tensor] | None,
    ) -> Replay:
        """A segment that is traced, as one for all that leads the same way to it."""
        graph, parts = self._parted(segment.graph)
        made = schedule_graph(parts, self.target, self._choices)
        return Replay(recording, earlier, segment, before, graph, made, self._families)

    def _body(self, part: _Part, origin: Origin) -> DynamicGraph:
        """The body of a loop, for whatever shapes it meets."""

        def begin(shapes: Sequence[tuple[int, ...]]) -> Segment:
            with self._lock:
                return self._source(Told.shapes(shapes, enters=True), part)[0]

        own = replace(origin, begin=begin)
        outline = Graph(origin.name, origin.inputs, (), origin.output_names, (), {})
        body = DynamicGraph(own, outline, self.target, self._fuse, self._choices)
        body._outer, body._families, body.ways = part.path, self._families, self.ways
        return body

    def _keep(self, table: _Parts, key: _Key, part: _Part) -> None:
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
