"""From groups to kernels, and the call that runs them one after the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.derived import derived
from workbench.graph.family import Families, kernels
from workbench.graph.memory import MemoryPlan, plan
from workbench.graph.programs import schedule_graph
from workbench.graph.save import Recipe, write
from workbench.graph.tuned import Choices
from workbench.graph.workspace import Step, Workspace, arena, room
from workbench.ir.target import Target
from workbench.ir.types import TensorType
from workbench.mapping.check import counted
from workbench.runtime.arguments import Parameter, check
from workbench.runtime.memory import array_module

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.kernel import Kernel
    from workbench.graph.graph import Graph
    from workbench.graph.partition import Group, Partition, Unfused
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")

Array = Any
_Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Where a call's arrays come from, in the order: its inputs, then the outputs it makes.

    `made` are those outputs, `scalars` the inputs of rank 0, which kernels see as arrays of one
    element; `results` say which array each output is, -1 for a constant, and whether it is given
    as it is; `scalar_results` are those of rank 0.
    """

    made: tuple[tuple[Tensor, _Shape, np.dtype[Any]], ...]
    scalars: tuple[int, ...]
    results: tuple[tuple[Tensor, int, bool], ...]
    scalar_results: tuple[int, ...]
    place: Mapping[Tensor, int]


class CompiledGraph:
    """A graph as kernels for one target.

    Parameters
    ----------
    graph : Graph
        What was compiled.
    partition : Partition
        Which operators share a kernel.
    steps : sequence of Step
        The launches, in order.
    target : Target
        What the kernels are for.
    memory : MemoryPlan, optional
        Where the tensors between kernels lie, when it is known.
    """

    def __init__(
        self,
        graph: Graph,
        partition: Partition,
        steps: Sequence[Step],
        target: Target,
        memory: MemoryPlan | None = None,
    ) -> None:
        self.target = target
        self._graph = graph
        self._partition = partition
        self._steps = tuple(steps)
        self._memory = memory or plan(partition.groups, graph.outputs)
        self.recipe: Recipe | None = None
        self._idle: list[Workspace] = []
        self._constants: dict[Tensor, Array] = {}

    @property
    def graph(self) -> Graph:
        """What was compiled."""
        return self._graph

    @property
    def ends(self) -> Graph:
        """What was compiled; its operators may be left out."""
        return self._graph

    @property
    def partition(self) -> Partition:
        """Which operators share a kernel."""
        return self._partition

    @property
    def steps(self) -> tuple[Step, ...]:
        """The launches, in order."""
        return self._steps

    @property
    def memory(self) -> MemoryPlan:
        """Where the tensors between kernels lie."""
        return self._memory

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels, each once; groups that are alike share one."""
        return tuple(dict.fromkeys(s.kernel for s in self.steps if s.kernel is not None))

    @property
    def groups(self) -> tuple[Group, ...]:
        """Operators that share a kernel, in the order of the launches."""
        return self.partition.groups

    @property
    def unfused(self) -> tuple[Unfused, ...]:
        """Tensors that are stored between two kernels, each with the reason."""
        return self.partition.unfused

    @property
    def launches(self) -> tuple[int, int]:
        """Launches of a call without fusion, and as it is."""
        return len(self.graph.operators), len(self.steps)

    @property
    def traffic_bytes(self) -> tuple[int, int]:
        """Bytes that the kernels read and write, without fusion and as it is; each tensor of a
        kernel counted once [byte].
        """
        before = sum(t.size_bytes for op in self.graph.operators for t in (*op.inputs, *op.outputs))
        return before, sum(g.moved_bytes for g in self.groups)

    @property
    def saved_bytes(self) -> int:
        """Bytes that fusion keeps out of memory [byte]."""
        before, after = self.traffic_bytes
        return before - after

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file, which `load_graph` reads: the model and its machine code.

        On this machine it is loaded without compiling anything; elsewhere the model in it is
        compiled again. Where kernels are made at the call, the file holds those made so far.

        Raises
        ------
        ModelError
            When it does not come from an ONNX model, or the file cannot be written.
        """
        write(path, self.recipe, self._graph.inputs, self.target, self.kernels)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the graph.

        Parameters
        ----------
        inputs : mapping of str to array
            One array per input, by name, of exactly its shape and dtype, C-contiguous: numpy's,
            or CuPy's for a CUDA target.

        Returns
        -------
        dict of str to array
            One new array per output, by name.

        Raises
        ------
        LaunchError
            When an input is missing, unknown or does not fit.
        """
        arrays = self._plain(inputs)
        if arrays is None:
            self._check_names(inputs)
            arrays = [self._input(t, inputs[t.name]) for t in self._graph.inputs]
        return dict(zip(self._graph.output_names, self.run(arrays), strict=True))

    def prepare(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Compile for some shapes ahead of a call; where all are known that has been done.

        Parameters
        ----------
        shapes : mapping of str to sequence of int
            The extents of every input, by name.

        Raises
        ------
        LaunchError
            When an input is missing or unknown, or does not take its shape.
        """
        self._check_names(shapes)
        for tensor in self._graph.inputs:
            fits(tensor, tensor, of_shape(tensor, shapes[tensor.name]))

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run the graph on arrays that fit.

        Parameters
        ----------
        arrays : sequence of array
            In the order of the graph's inputs.

        Returns
        -------
        list of array
            In the order of the graph's outputs, all new.
        """
        ends, xp = self._ends, self._xp
        try:
            # calls from several threads each take their own
            space = self._idle.pop()
        except IndexError:
            space = self._workspace(xp)
        own = [*arrays, *(room(xp, shape, kind, t) for t, shape, kind in ends.made)]
        for n in ends.scalars:
            own[n] = own[n].reshape(1)
        space.run(self._steps, own)
        self._idle.append(space)
        # a result is never the caller's array, our own, or another result
        results: list[Array] = [
            own[n] if fresh else (own[n] if n >= 0 else self._constants[t]).copy()
            for t, n, fresh in ends.results
        ]
        for n in ends.scalar_results:
            results[n] = results[n].reshape(())
        return results

    @cached_property
    def _ends(self) -> _Ends:
        inputs, outputs = self._graph.inputs, self._graph.outputs
        known = {*inputs, *self._graph.constants}
        made = [t for t in dict.fromkeys(outputs) if t not in known]
        place = {t: n for n, t in enumerate((*inputs, *made))}
        return _Ends(
            tuple((t, t.storage.extents, np.dtype(t.dtype.numpy_name)) for t in made),
            tuple(n for n, t in enumerate(inputs) if not t.rank),
            tuple(
                (t, place.get(t, -1), t in made and t not in outputs[:n])
                for n, t in enumerate(outputs)
            ),
            tuple(n for n, t in enumerate(outputs) if not t.rank),
            place,
        )

    @cached_property
    def _kinds(self) -> tuple[tuple[str, np.dtype[Any], _Shape], ...]:
        """Name, type and shape of every input."""
        return tuple((t.name, np.dtype(t.dtype.numpy_name), t.extents) for t in self._graph.inputs)

    def _plain(self, inputs: Mapping[str, Array]) -> list[Array] | None:
        """The arrays of a call in a dict, if each is plain and just what it should be."""
        if type(inputs) is not dict or len(inputs) != len(self._kinds) or self._gpu:
            return None
        found: list[Array] = []
        for name, kind, shape in self._kinds:
            a = inputs.get(name)
            if type(a) is not np.ndarray or a.shape != shape or a.dtype != kind:
                return None
            if not a.flags.carray:
                return None
            found.append(a)
        return found

    @cached_property
    def _xp(self) -> Any:
        """Whose arrays these are."""
        return array_module(self._gpu)

    @cached_property
    def _gpu(self) -> bool:
        return self.target.kind == "cuda"

    def _check_names(self, inputs: Mapping[str, Array]) -> None:
        """Raise LaunchError unless there is an array for every input and no other."""
        known = self._graph.inputs
        if not isinstance(inputs, Mapping):
            example = ", ".join(f'"{shown(t.name)}": …' for t in known)
            raise LaunchError(
                f"a graph is called with a dict of arrays, not {type(inputs).__name__}",
                hint=f"pass {{{example}}}",
            )
        missing = [t for t in known if t.name not in inputs]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            got = ", ".join(shown(str(n)) for n in inputs)
            raise LaunchError(
                f"{', '.join(map(str, missing))} {verb} missing from the inputs",
                hint=f"got {got or 'nothing'}",
            )
        names = {t.name for t in known}
        unknown = [shown(str(n)) for n in inputs if n not in names]
        if unknown:
            raise LaunchError(
                f"the graph has no input {', '.join(unknown)}",
                hint=f"its inputs are {', '.join(shown(t.name) for t in known)}",
            )

    def _input(self, tensor: Tensor, array: Array) -> Array:
        """The array as kernels take it, once it fits."""
        if isinstance(array, np.ma.MaskedArray):
            raise LaunchError(
                f"argument {shown(tensor.name)}: kernels know no masks", hint="pass its filled(…)"
            )
        # numpy's scalars and matrices count as what they hold
        if isinstance(array, np.ndarray | np.generic):
            array = np.asarray(array)
        # checked here for its name in the model; also where no kernel reads it
        param = Parameter(shown(tensor.name), TensorType(tensor.dtype, tensor.extents))
        check(shown(self._graph.name), [param], [array], gpu=self._gpu)
        return array

    def _workspace(self, xp: Any) -> Workspace:
        if not self._constants:
            held = {t: _on_gpu(xp, a) if self._gpu else a for t, a in self._graph.constants.items()}
            self._constants = {t: a.reshape(t.storage.extents) for t, a in held.items()}
        arrays = {**self._constants, **arena(xp, self._memory)}
        return Workspace(arrays, self._ends.place, self.target.kind)

    def __repr__(self) -> str:
        before, after = self.launches
        kernels = counted(len(self.kernels), "kernel")
        return (
            f"CompiledGraph({shown(self.graph.name)}, {self.target}: "
            f"{counted(before, 'operator')} as {kernels}, run {counted(after, 'time')})"
        )


def of_shape(tensor: Tensor, shape: Sequence[int]) -> Array:
    """An array of a shape that takes no memory."""
    try:
        extents = tuple(map(index, shape))
        return np.broadcast_to(np.empty((), tensor.dtype.numpy_name), extents)
    except (TypeError, ValueError):
        raise LaunchError(
            f"{shown(tensor.name)}: {shown(repr(shape))} is no shape",
            hint="a shape is a tuple of whole numbers that are not below 0",
        ) from None


def fits(tensor: Tensor, bound: Tensor, array: Array) -> None:
    """Raise LaunchError unless an input with the extents of a call takes an array's shape."""
    if bound.extents != array.shape:
        raise LaunchError(f"{tensor} does not take {array.shape}")


def _on_gpu(cupy: Any, array: np.ndarray) -> Array:
    """A constant where kernels of a GPU read it, once for all graphs that have it."""
    how = "on the GPU", cupy.cuda.Device().id
    return derived([array], how, lambda: cupy.asarray(array))


def compile_graph(
    graph: Graph,
    partition: Partition,
    target: Target,
    choices: Choices | None = None,
    families: Families | None = None,
) -> CompiledGraph:
    """Schedule every group and compile it; groups that are alike share a kernel.

    Parameters
    ----------
    choices : Choices, optional
        Templates that a tuning found; else `schedules.choose` decides.
    families : Families, optional
        Kernels of the same graph for other shapes, some of which may serve these.

    Raises
    ------
    WorkbenchError
        When a kernel cannot be made for the target, naming the model's nodes.
    """
    found = schedule_graph(partition, target, choices)
    made = kernels(found.modules, target, families)
    steps = [Step(None if n is None else made[n], g, tensors) for g, n, tensors in found.launches]
    return CompiledGraph(graph, found.partition, steps, target)
