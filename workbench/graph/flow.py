"""The flow graph as its user holds it: look at it, bind its dims, optimize it, compile it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, WorkbenchError
from workbench.base.names import shown
from workbench.graph.compile import CompiledGraph, compile_graph
from workbench.graph.dims import bind_dims
from workbench.graph.dynamic import DynamicGraph
from workbench.graph.partition import Group, Partition, Unfused, partition
from workbench.graph.rewrite import rewrite_graph
from workbench.graph.save import Recipe
from workbench.graph.tuned import Choices, GraphTuning, tune_groups
from workbench.ir.target import Target
from workbench.ir.types import Dim
from workbench.mapping.check import counted

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.graph import Graph
    from workbench.graph.operator import Operator
    from workbench.graph.segment import Origin
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class FlowGraph:
    """Operators between named inputs and outputs.

    A graph whose inputs have dims without a value shows the model's own nodes; once they are
    bound, each operator has a compute definition or a host call. Where shapes or branches depend
    on data it keeps showing the nodes: what runs is known when it is called.

    Attributes
    ----------
    graph : Graph
        The operators.
    origin : Origin or None
        What to import when it is called, while it is not known what runs.
    partition : Partition or None
        Which operators share a kernel, once optimized.
    optimized : bool
        Whether kernels are fused; on a graph with open dims it happens when they are bound.
    fuse : bool
        Whether optimizing it shares kernels among operators.
    by_data : bool
        Whether data of a call decide what runs.
    rules : tuple of str
        Names of the rewrites that changed it.
    before : Graph or None
        The graph before them.
    made_for : str
        The kind of target for which it is optimized.
    model : callable or None
        Gives the ONNX model it comes from, for who saves what is compiled.
    cuts : tuple of Tensor
        Where fusion was told to stop.
    """

    graph: Graph
    origin: Origin | None = None
    partition: Partition | None = None
    optimized: bool = False
    fuse: bool = True
    by_data: bool = False
    rules: tuple[str, ...] = ()
    before: Graph | None = None
    made_for: str = ""
    model: Callable[[], bytes] | None = None
    cuts: tuple[Tensor, ...] = ()

    @property
    def name(self) -> str:
        """As the model calls itself."""
        return self.graph.name

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a call passes."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What a call gives."""
        return self.graph.outputs

    @property
    def operators(self) -> tuple[Operator, ...]:
        """In an order in which they can run."""
        return self.graph.operators

    @property
    def constants(self) -> Mapping[Tensor, np.ndarray]:
        """Weights and what was computed of them."""
        return self.graph.constants

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dims that have no value yet."""
        found = (e.name for t in self.inputs for e in t.shape or () if isinstance(e, Dim))
        return tuple(dict.fromkeys(found))

    @property
    def groups(self) -> tuple[Group, ...]:
        """Operators that share a kernel; empty before it is optimized."""
        return self.partition.groups if self.partition else ()

    @property
    def unfused(self) -> tuple[Unfused, ...]:
        """Tensors that are stored between two kernels, each with the reason."""
        return self.partition.unfused if self.partition else ()

    def bind(self, dims: Mapping[str, int] | None = None) -> FlowGraph:
        """The graph with a value for every dim.

        Raises
        ------
        ModelError
            For a dim without a value, a name that is no dim, or a node that does not fit.
        """
        if self.origin is None or self.by_data:
            if dims:
                names = ", ".join(shown(str(n)) for n in dims)
                raise ModelError(f"the graph has no open dims; {names} cannot be set")
            return self
        inputs = bind_dims(self.origin.inputs, dims or {})
        segment = self.origin.begin([t.extents for t in inputs])
        if segment.cut is not None:
            graph = _with_inputs(self.graph, inputs)
            origin = replace(self.origin, inputs=inputs)
            return replace(self, graph=graph, origin=origin, by_data=True)
        bound = replace(self, graph=segment.graph, origin=None)
        return bound.optimize(fuse=self.fuse) if self.optimized else bound

    def optimize(
        self,
        dims: Mapping[str, int] | None = None,
        fuse: bool = True,
        target: Target | str = "cpu",
    ) -> FlowGraph:
        """The graph rewritten and divided into groups that become one kernel each.

        Parameters
        ----------
        dims : mapping, optional
            Values for the dims; left open they are asked for when it is compiled.
        fuse : bool
            False rewrites only: every operator keeps a kernel of its own.
        target : Target or str
            What it will run on; compiled for another kind it is optimized anew.
        """
        bound = replace(self, optimized=False).bind(dims) if dims else self
        if bound.origin is not None:
            return replace(bound, optimized=True, fuse=fuse)
        kind = _target(target).kind
        before = bound.before or bound.graph
        graph, fired = rewrite_graph(before, kind)
        return replace(
            bound,
            graph=graph,
            partition=partition(graph, fuse, kind),
            optimized=True,
            fuse=fuse,
            rules=fired,
            before=before,
            made_for=kind,
            cuts=(),
        )

    def cut(self, tensors: Iterable[Tensor | str]) -> FlowGraph:
        """The optimized graph divided anew: no kernel both makes and reads one of these tensors.

        What it computes stays the same; it shows what fusing them gains. Cuts made before are
        forgotten, and so are all of them when it is optimized again.

        Parameters
        ----------
        tensors : iterable of Tensor or str
            Made by its operators; a name stands for every tensor that is called so.

        Raises
        ------
        ModelError
            When it is not optimized, or no operator makes such a tensor.

        Examples
        --------
        ``from_onnx("net.onnx").optimize().cut(["conv1"]).compile()``
        """
        if self.partition is None or not self.fuse:
            raise ModelError(
                "a graph is cut where kernels are fused", hint="optimize() it first, dims bound"
            )
        made = dict.fromkeys(t for op in self.operators for t in op.outputs)
        cuts: dict[Tensor, None] = {}
        for each in tensors:
            found = [t for t in made if t is each or t.name == each]
            if not found:
                name = shown(each if isinstance(each, str) else each.name)
                raise ModelError(f"no operator of the optimized graph makes {name}")
            cuts |= dict.fromkeys(found)
        parts = partition(self.graph, True, self.made_for, tuple(cuts))
        return replace(self, partition=parts, cuts=tuple(cuts))

    def tune(self, target: Target | str = "cpu", **how: Any) -> GraphTuning:
        """Try schedules for the operators; `compile` takes the choices that are found.

        Parameters
        ----------
        target : Target or str
            What it will run on.
        **how
            ``budget_s``, ``top``, ``sample_s``, ``record``, ``executor``, ``observer``: as for
            :func:`workbench.graph.tuned.tune_groups`.

        Raises
        ------
        ModelError
            When the graph has open dims: there is nothing to measure before they are bound.

        Examples
        --------
        ``graph = from_onnx("net.onnx").optimize()``, then
        ``graph.compile(choices=graph.tune(budget_s=60).choices)``.
        """
        if self.origin is not None:
            raise ModelError(
                "a graph whose operators depend on the call cannot be tuned",
                hint="bind its dims: optimize(dims={…}); the choices serve every other size",
            )
        goal = _target(target)
        whole = self if self.made_for == goal.kind else self.optimize(fuse=self.fuse, target=goal)
        return tune_groups(whole.groups, goal, **how)

    def compile(
        self,
        target: Target | str = "cpu",
        dims: Mapping[str, int] | None = None,
        choices: Choices | None = None,
    ) -> CompiledGraph:
        """Kernels for a target; one per operator when the graph is not optimized.

        With open dims, or where data decide what runs, kernels are made when it is called.

        Parameters
        ----------
        target : Target or str
            What it runs on.
        dims : mapping, optional
            Values for the dims.
        choices : Choices, optional
            What a tuning found, see :meth:`tune`.

        Raises
        ------
        ModelError
            When some dims are given, but not all.
        """
        goal = _target(target)
        bound = self.bind(dims) if dims else self
        if bound.origin is not None:
            how = None if not bound.optimized else bound.fuse
            dynamic = DynamicGraph(bound.origin, bound.graph, goal, how, choices)
            dynamic.recipe = bound._recipe
            return dynamic
        if bound.partition is not None and bound.made_for != goal.kind:
            if bound.cuts:
                raise ModelError(
                    f"its cuts are of kernels for {bound.made_for}",
                    hint=f'optimize(target="{goal.kind}"), then cut it again',
                )
            bound = bound.optimize(fuse=bound.fuse, target=goal)
        parts = bound.partition or partition(bound.graph, fuse=False)
        compiled = compile_graph(bound.graph, parts, goal, choices)
        compiled.recipe = bound._recipe
        return compiled

    @property
    def _recipe(self) -> Recipe | None:
        return Recipe(self.model, self.optimized, self.fuse) if self.model else None

    def __repr__(self) -> str:
        ends = " → ".join(
            ", ".join(map(str, tensors[:_LISTED])) + (", …" if len(tensors) > _LISTED else "")
            for tensors in (self.inputs, self.outputs)
        )
        dims = f", open dims {', '.join(map(shown, self.dims))}" if self.dims else ""
        groups = f" in {counted(len(self.groups), 'group')}" if self.partition else ""
        count = counted(len(self.operators), "operator")
        return f"FlowGraph({shown(self.name)}: {count}{groups}{dims}; {ends})"


def _target(target: Target | str) -> Target:
    goal = Target.parse(target) if isinstance(target, str) else target
    if not isinstance(goal, Target):
        raise WorkbenchError(
            f"a target is a name or a Target, not {type(goal).__name__}",
            hint='pass "cpu", "interp", "cuda" or "cuda:sm_90a"',
        )
    return goal


def _with_inputs(graph: Graph, inputs: Sequence[Tensor]) -> Graph:
    """A graph of nodes that reads other tensors instead of its inputs."""
    instead = dict(zip(graph.inputs, inputs, strict=True))
    operators = tuple(
        replace(op, inputs=tuple(instead.get(t, t) for t in op.inputs)) for op in graph.operators
    )
    outputs = tuple(instead.get(t, t) for t in graph.outputs)
    return replace(graph, inputs=tuple(inputs), outputs=outputs, operators=operators)


_LISTED = 4
"""Inputs and outputs that a repr names."""
