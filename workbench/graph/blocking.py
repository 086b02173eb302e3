"""The rewrite of a graph into blocks of channels: convolutions start it, what follows stays in it.

An operator is done in blocks when one of its inputs comes in blocks, or when it is a convolution,
and its definition keeps blocks together; other operators get their inputs unpacked. Constants are
packed now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.graph.derived import derived
from workbench.graph.graph import Graph
from workbench.graph.groups import grouped
from workbench.graph.layout import Repacking, blocked, blocked_shape, pack, unpack
from workbench.graph.operator import Operator
from workbench.graph.quads import quads
from workbench.graph.tensor import Tensor
from workbench.ir.expr import Binary, BinaryOp, Cast, Expr, Load, Var
from workbench.ir.traverse import variables, walk
from workbench.ir.types import f32, i8, i32, u8
from workbench.schedules.compute import Reducer
from workbench.schedules.extents import varies
from workbench.schedules.window import Sliding

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.layout import Blocked
    from workbench.schedules.compute import Compute


def block_channels(graph: Graph, lanes: int) -> Graph:
    """Convolutions, and what works on their results, over blocks of `lanes` channels."""
    if not any(_convolves(op) for op in graph.operators):
        return graph
    state = _State(lanes, dict(graph.constants), graph.weights)
    for op in graph.operators:
        if not state.block(op):
            state.keep(op)
    for tensor in graph.outputs:
        state.plain(tensor)
    if not state.forms:
        return graph
    used = {t for op in state.done for t in op.inputs} | set(graph.outputs)
    constants = {t: a for t, a in state.constants.items() if t in used}
    return replace(graph, operators=tuple(state.done), constants=constants)


def _convolves(op: Operator) -> bool:
    """Whether it sums products over a window, in a tensor [n, c, …]."""
    if op.compute is None or op.output.rank < 3 or op.output.dtype not in _BLOCKED:
        return False
    reduction = op.compute.reduction
    if reduction is None or reduction.reducer is not Reducer.SUM:
        return False
    value = reduction.value
    if not isinstance(value, Binary) or value.op is not BinaryOp.MUL:
        return False
    loads = [n for n in walk(value) if isinstance(n, Load)]
    if not any(_over_windows(n.index, set(reduction.axes)) for n in loads):
        return False
    weight = value.b.a if isinstance(value.b, Cast) else value.b
    # weights that fill up a block are zeros: nothing may be taken off from them
    return op.output.dtype == f32 or isinstance(weight, Load)


def _over_windows(index: Sequence[Expr], reduced: set[Var]) -> bool:
    """Whether channels are summed over, or places of a window; a product of matrices does not."""
    found = [variables(e) for e in index]
    windows = any(read & reduced and read - reduced for read in found[2:])
    return windows or (len(found) > 1 and bool(found[1] & reduced))


_BLOCKED = (f32, i32, u8, i8)
"""Number types that are worth it: floats, and quantized numbers with their sums."""


@dataclass
class _State:
    """The graph so far.

    Attributes
    ----------
    weights : frozenset of Tensor
        Constants that may be packed.
    forms : dict of Tensor to Tensor
        What comes in blocks, by what it stands for.
    made : set of Tensor
        What comes in blocks only, until somebody asks for it as it was.
    """

    lanes: int
    constants: dict[Tensor, np.ndarray]
    weights: frozenset[Tensor]
    done: list[Operator] = field(default_factory=list[Operator])
    forms: dict[Tensor, Tensor] = field(default_factory=dict)
    made: set[Tensor] = field(default_factory=set)
    packed: dict[tuple[Tensor, Repacking], Tensor] = field(default_factory=dict)

    def keep(self, op: Operator) -> None:
        """An operator as it was."""
        for tensor in op.inputs:
            self.plain(tensor)
        self.done.append(op)

    def plain(self, tensor: Tensor) -> None:
        """Make sure that a tensor is there as it was."""
        if tensor in self.made:
            self.made.remove(tensor)
            form = self.forms[tensor]
            compute = unpack(form.variable(), tensor.extents[1])
            self.done.append(Operator("unpack", (form,), (tensor,), compute))

    def block(self, op: Operator) -> bool:
        """Do an operator in blocks; False where that cannot be, or does not pay."""
        if op.compute is None or op.host is not None or op.output.dtype not in _BLOCKED:
            return False
        starts = _convolves(op)
        ready = [t for t in op.inputs if t in self.forms and t.rank > 2]
        least = 3 if op.injective or starts else 2
        if op.output.rank < least or not (ready or starts):
            return False
        channels = op.output.extents[1]
        # those that vary are no channels
        if varies(channels) or (channels < self.lanes // 2 and not (starts and ready)):
            return False
        found = self._written(op, starts, bool(ready))
        if found is None:
            return False
        self._emit(op, *found)
        return True

    def _written(
        self, op: Operator, starts: bool, ready: bool
    ) -> tuple[Blocked, list[Tensor]] | None:
        """The definition in blocks, and the inputs that are to come in blocks."""
        place = dict(zip(op.inputs, op.definition.inputs, strict=True))
        constants = [t for t in op.inputs if t in self.weights]
        others = [t for t in op.inputs if t not in self.weights]
        fresh = [t for t in others if t not in self.forms and self._packs(t, op, starts)]
        options = [[t for t in others if t in self.forms]]
        options = [[*options[0], *fresh], options[0]] if fresh else options
        for chosen in options:
            found = blocked(
                op.definition,
                frozenset(place[t] for t in chosen),
                frozenset(place[t] for t in constants),
                self.lanes,
            )
            found = found and quads(found, op.definition.inputs)
            # a product starts blocks when its weights can be packed
            if found is not None and (ready or (found.packings and _slides(found.compute))):
                return found, chosen
        if starts and len(others) == len(constants) == 1 and others[0].rank > 2:
            found = grouped(op.definition, place[others[0]], place[constants[0]], self.lanes)
            return found and (found, others)
        return None

    def _packs(self, tensor: Tensor, op: Operator, starts: bool) -> bool:
        """Whether an input that does not come in blocks had better do."""
        if tensor.rank < 3 or tensor.dtype not in _BLOCKED or varies(tensor.extents[1]):
            return False
        if starts:
            # a few channels are read as they are
            return tensor.extents[1] >= self.lanes or _by_channel(op, tensor)
        return tensor.rank == op.output.rank and tensor.extents[1] == op.output.extents[1]

    def _emit(self, op: Operator, found: Blocked, chosen: Sequence[Tensor]) -> None:
        place = dict(zip(op.inputs, op.definition.inputs, strict=True))
        inputs: list[Tensor] = []
        for tensor in op.inputs:
            packing = found.packings.get(place[tensor])
            if packing is not None:
                inputs.append(self._constant(tensor, packing))
            elif tensor in chosen:
                inputs.append(self._form(tensor))
            else:
                self.plain(tensor)
                inputs.append(tensor)
        old = op.output
        new = Tensor(old.name, old.dtype, found.compute.output.tensor.extents)
        self.forms[old] = new
        self.made.add(old)
        shown = (*op.attributes, ("layout", f"blocks of {self.lanes} channels"))
        self.done.append(
            replace(
                op, inputs=tuple(inputs), outputs=(new,), compute=found.compute, attributes=shown
            )
        )

    def _form(self, tensor: Tensor) -> Tensor:
        """A tensor in blocks, packed where it is not yet."""
        if tensor not in self.forms:
            shape = blocked_shape(tensor.extents, self.lanes)
            form = Tensor(tensor.name, tensor.dtype, shape)
            compute = pack(tensor.variable(), self.lanes)
            self.done.append(Operator("pack", (tensor,), (form,), compute))
            self.forms[tensor] = form
        return self.forms[tensor]

    def _constant(self, tensor: Tensor, packing: Repacking) -> Tensor:
        key = (tensor, packing)
        if key not in self.packed:
            whole = self.constants[tensor].reshape(tensor.storage.extents)
            array = derived([whole], packing, lambda: packing.apply(whole))
            new = Tensor(tensor.name, tensor.dtype, array.shape)
            self.constants[new] = array
            self.packed[key] = new
        return self.packed[key]


def _slides(compute: Compute) -> bool:
    return Sliding.of(compute, flat=False) is not None


def _by_channel(op: Operator, tensor: Tensor) -> bool:
    """Whether each output channel reads channels of its own."""
    compute = op.definition
    assert compute.reduction is not None
    var = compute.inputs[op.inputs.index(tensor)]
    loads = (n for n in walk(compute.reduction.value) if isinstance(n, Load) and n.tensor is var)
    return any(compute.axes[1] in variables(load.index[1]) for load in loads)
