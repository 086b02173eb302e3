"""A graph that was replayed: what a call needs is there, the rest is made when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.graph.compile import CompiledGraph
from workbench.graph.graph import Graph
from workbench.graph.group import Group, Partition, View
from workbench.graph.operator import Operator
from workbench.graph.symbolic.settled import Settled
from workbench.graph.workspace import Step

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.graph.memory import MemoryPlan
    from workbench.graph.tensor import Tensor
    from workbench.ir.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A graph whose extents are traced, and its groups.

    Attributes
    ----------
    launched : tuple of Group
        Those with a kernel, in order.
    """

    graph: Graph
    partition: Partition
    launched: tuple[Group, ...]

    @property
    def uses(self) -> list[tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[View, ...]]]:
        """What each group reads and makes, and which of it lies in other tensors."""
        return [(g.inputs, g.outputs, g.views) for g in self.partition.groups]

    @property
    def tensors(self) -> list[Tensor]:
        """All that a call meets, each once."""
        found = [*self.graph.inputs, *self.graph.outputs, *self.graph.constants]
        for inputs, outputs, views in self.uses:
            found += (*inputs, *outputs, *(t for v in views for t in (v.tensor, v.source)))
        return list(dict.fromkeys(found))


class Replayed(CompiledGraph):
    """A graph made of a recording.

    Parameters
    ----------
    ends : Graph
        Its inputs, outputs and constants, without operators.
    steps : sequence of Step
        The launches, in order, without groups.
    memory : MemoryPlan
        Where the tensors between kernels lie.
    target : Target
        What the kernels are for.
    whole : callable
        Gives the graph and its groups, with the tensors of `steps`.
    """

    def __init__(
        self,
        ends: Graph,
        steps: Sequence[Step],
        memory: MemoryPlan,
        target: Target,
        whole: Callable[[], Whole],
    ) -> None:
        super().__init__(ends, Partition((), ()), steps, target, memory)
        self._make = whole

    @cached_property
    def _whole(self) -> Whole:
        return self._make()

    @property
    def graph(self) -> Graph:
        """What was compiled."""
        return self._whole.graph

    @property
    def partition(self) -> Partition:
        """Which operators share a kernel."""
        return self._whole.partition

    @property
    def steps(self) -> tuple[Step, ...]:
        """The launches, in order."""
        pairs = zip(self._steps, self._whole.launched, strict=True)
        return tuple(replace(step, group=group) for step, group in pairs)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels, each once; groups that are alike share one."""
        return tuple(dict.fromkeys(s.kernel for s in self._steps if s.kernel is not None))


def settled(of: Whole, tensors: Mapping[Tensor, Tensor], values: Sequence[Any]) -> Whole:
    """A graph with the extents of one call.

    Parameters
    ----------
    tensors : mapping of Tensor to Tensor
        The tensors of that call, as far as they are there.
    values : sequence
        Of all places of the tape.
    """
    make = _Settling(Settled(values), dict(tensors))
    graph = of.graph
    groups = {g: make.group(g) for g in of.partition.groups}
    unfused = tuple(
        replace(
            u,
            tensor=make.tensor(u.tensor),
            producer=make.operator(u.producer),
            user=make.operator(u.user),
            reason=make.values.text(u.reason),
        )
        for u in of.partition.unfused
    )
    whole = Graph(
        graph.name,
        make.tensors(graph.inputs),
        make.tensors(graph.outputs),
        graph.output_names,
        tuple(map(make.operator, graph.operators)),
        {make.tensor(t): make.values.value(a) for t, a in graph.constants.items()},
    )
    launched = tuple(groups[g] for g in of.launched)
    return Whole(whole, Partition(tuple(groups.values()), unfused), launched)


class _Settling:
    """Each traced thing once."""

    def __init__(self, values: Settled, tensors: dict[Tensor, Tensor]) -> None:
        self.values = values
        self._tensors = tensors
        self._operators: dict[Operator, Operator] = {}

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor not in self._tensors:
            shape = self.values.shape(tensor.extents)
            self._tensors[tensor] = replace(tensor, shape=shape)
        return self._tensors[tensor]

    def tensors(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple(map(self.tensor, tensors))

    def operator(self, op: Operator) -> Operator:
        if op not in self._operators:
            self._operators[op] = replace(
                op,
                inputs=self.tensors(op.inputs),
                outputs=self.tensors(op.outputs),
                compute=op.compute and self.values.compute(op.compute),
                attributes=tuple((k, self.values.text(v)) for k, v in op.attributes),
                host=self.values.function(op.host) if callable(op.host) else op.host,
            )
        return self._operators[op]

    def group(self, group: Group) -> Group:
        # how its rows are indexed matters to who schedules it, which has been done
        return Group(
            self.operator(group.anchor),
            tuple(map(self.operator, group.prologue)),
            tuple(map(self.operator, group.epilogue)),
            self.tensors(group.kept),
            None,
            group.first and self.operator(group.first),
            tuple(map(self.group, group.beside)),
            tuple(
                View(self.tensor(v.tensor), self.tensor(v.source), self.values.value(v.start))
                for v in group.views
            ),
        )
