"""Rows of the registry for operators that carry graphs: If, Loop, Scan.

A branch is imported where it stands, once its condition is known. A loop whose turns are known and
few is written out; any other is a host call that runs its body, compiled by itself, turn by turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node, axis_of, given
from workbench.graph.onnx.row import Apart, Enter, Outputs, Result, Row
from workbench.graph.onnx.types import array_of, dtype_of_elem
from workbench.graph.ops import shape as ops
from workbench.graph.tensor import Tensor
from workbench.ir.types import boolean, i64

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.build import Builder
    from workbench.graph.segment import Runner
else:
    np = lazy("numpy")

WRITTEN_OUT = 8
"""Turns of a loop that are written out at most: each may need kernels of its own."""

SELECTED = 8
"""Tensors are put together by a kernel up to so many; it chooses for each element among them."""


def _if(node: Node, b: Builder, condition: Tensor) -> Enter:
    value = _flag(node.known(b, condition, "the condition"))
    branch = node.graph("then_branch" if value else "else_branch")
    if len(branch.output) != len(node.outputs):
        raise ModelError(f"the branch gives {len(branch.output)} of {len(node.outputs)} outputs")
    return Enter(branch, (), lambda _, found: found)


def _flag(value: Any) -> bool:
    array = np.asarray(value)
    if array.size != 1:
        raise ModelError(f"a condition is one element, not {list(array.shape)}")
    return bool(array.reshape(-1)[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Turns:
    """What the turns of a loop have in common.

    Attributes
    ----------
    body : onnx.GraphProto
        Its graph.
    states : int
        Values that go from one turn to the next.
    fed : tuple of int
        Per sequence that is fed to the turns its axis.
    backwards : tuple of bool
        For each of them, whether the last element comes first.
    stacked : tuple of (int, bool)
        Per sequence that the turns give its axis, and whether the first turn's element is last.
    steers : bool
        Whether the body counts turns and decides on the next, as in Loop.
    """

    body: onnx.GraphProto
    states: int
    fed: tuple[int, ...]
    backwards: tuple[bool, ...]
    stacked: tuple[tuple[int, bool], ...]
    steers: bool

    def __post_init__(self) -> None:
        takes = 2 * self.steers + self.states + len(self.fed)
        gives = self.steers + self.states + len(self.stacked)
        if (len(self.body.input), len(self.body.output)) != (takes, gives):
            raise ModelError(
                f"the body takes {len(self.body.input)} inputs and gives {len(self.body.output)} "
                f"outputs, not {takes} and {gives}"
            )

    @property
    def goes_on(self) -> bool:
        """Whether the body says so in every turn, as far as its nodes show at a glance."""
        if not self.steers:
            return True
        makers = {o: n for n in self.body.node for o in n.output}
        known = {t.name: t for t in self.body.initializer}
        name = self.body.output[0].name
        for _ in self.body.node:
            if name not in makers or makers[name].op_type != "Identity":
                break
            name = makers[name].input[0]
        maker = makers.get(name)
        if maker is not None and maker.op_type == "Constant":
            known |= {o: a.t for o in maker.output for a in maker.attribute if a.name == "value"}
        if name in known:
            return bool(array_of(known[name], None).all())
        return name == self.body.input[1].name

    def empty(self, place: int) -> np.ndarray:
        """What the sequence is that no turn has given anything to."""
        kind = self.body.output[self.steers + self.states + place].type.tensor_type
        shape = [d.dim_value for d in kind.shape.dim]
        shape.insert(axis_of(self.stacked[place][0], len(shape) + 1), 0)
        return np.zeros(shape, dtype_of_elem(kind.elem_type).numpy_name)


def _loop(
    node: Node,
    b: Builder,
    trip: Tensor | None = None,
    going: Tensor | None = None,
    *carried: Tensor,
) -> Result:
    body = node.graph("body")
    stacked = ((0, False),) * (len(body.output) - 1 - len(carried))
    turns = _Turns(body, len(carried), (), (), stacked, steers=True)
    most = None if trip is None else b.value(trip)
    start = np.True_ if going is None else b.value(going)
    if most is not None and start is not None and turns.goes_on:
        number = int(most.reshape(-1)[0]) if _flag(start) else 0
        if number <= WRITTEN_OUT:
            return _turn(b, turns, 0, max(0, number), (), carried, ())
    kinds = (Tensor("turn", i64, ()), Tensor("going", boolean, ()), *carried)
    run = partial(_looped, turns, trip is not None, going is not None)
    return Apart(body, kinds, (*given(trip, going), *carried), run)


def _scan(node: Node, b: Builder, *inputs: Tensor | None) -> Result:
    body, number = node.graph("body"), node.number("num_scan_inputs")
    if node.opset == _BATCHED:
        if inputs[0] is not None:
            raise UnsupportedOp("Scan with lengths per item of a batch is not supported")
        inputs = inputs[1:]
    tensors = given(*inputs)
    states = len(tensors) - number
    outputs = len(body.output) - states
    if not 0 < number <= len(tensors) or outputs < 0:
        raise ModelError(f"{number} of {len(tensors)} inputs cannot be sequences")
    skip = 1 if node.opset == _BATCHED else 0
    ways = "directions" if skip else "scan_input_directions"
    fed = [
        axis_of(axis, t.rank - skip)
        for axis, t in zip(
            node.numbers("scan_input_axes", [0] * number), tensors[states:], strict=True
        )
    ]
    stacked = zip(
        node.numbers("scan_output_axes", [0] * outputs),
        map(bool, node.numbers("scan_output_directions", [0] * outputs)),
        strict=True,
    )
    backwards = tuple(map(bool, node.numbers(ways, [0] * number)))
    turns = _Turns(body, states, tuple(fed), backwards, tuple(stacked), steers=False)
    length, *others = (t.extents[skip + a] for a, t in zip(fed, tensors[states:], strict=True))
    if any(e != length for e in others):
        lengths = sorted({length, *others})
        raise ModelError(f"sequences of {lengths} elements cannot be fed together")
    if not skip and length <= WRITTEN_OUT:
        return _turn(b, turns, 0, length, tensors[states:], tensors[:states], ())
    return Apart(body, tensors, tensors, partial(_scanned_items if skip else _scanned, turns))


_BATCHED = 8
"""The opset in which the sequences of Scan have a batch before them."""


def _turn(
    b: Builder,
    turns: _Turns,
    turn: int,
    number: int,
    fed: Sequence[Tensor],
    states: Outputs,
    stacked: tuple[Outputs, ...],
) -> Result:
    """The turns written out from `turn` on."""
    if turn == number:
        sequences = (
            _sequence(b, turns, place, [t[place] for t in stacked])
            for place in range(len(turns.stacked))
        )
        return (*states, *sequences)
    inputs = [*given(*states)]
    for x, axis, backwards in zip(fed, turns.fed, turns.backwards, strict=True):
        inputs.append(_element(b, x, axis, number - 1 - turn if backwards else turn))
    if turns.steers:
        inputs[:0] = [b.constant(np.asarray(turn)), b.constant(np.asarray(True))]

    def then(b: Builder, found: Outputs) -> Result:
        found = found[turns.steers :]
        after, own = found[: turns.states], found[turns.states :]
        return _turn(b, turns, turn + 1, number, fed, after, (*stacked, own))

    held = (*fed, *(t for row in stacked for t in given(*row)))
    return Enter(turns.body, tuple(inputs), then, held)


def _element(b: Builder, x: Tensor, axis: int, place: int) -> Tensor:
    """`x[..., place, ...]`."""
    shape = [1 if d == axis else e for d, e in enumerate(x.extents)]
    starts = [place if d == axis else 0 for d in range(x.rank)]
    part = ops.take(b, x, starts, [1] * x.rank, shape)
    return ops.reshape(b, part, shape[:axis] + shape[axis + 1 :])


def _sequence(b: Builder, turns: _Turns, place: int, parts: Sequence[Tensor | None]) -> Tensor:
    """The elements of all turns as one tensor."""
    tensors = given(*parts)
    if not tensors:
        return b.constant(turns.empty(place))
    axis, backwards = turns.stacked[place]
    axis = axis_of(axis, tensors[0].rank + 1)
    if any(t.extents != tensors[0].extents for t in tensors):
        raise ModelError(f"turns give {tensors[0]} and others, which cannot be put together")
    shape = list(tensors[0].extents)
    if len(tensors) > SELECTED:
        shape.insert(axis, len(tensors))
        stack = partial(_stacked, axis, backwards)
        return b.host("stack", stack, tensors, [(tensors[0].dtype, shape)])[0]
    shape.insert(axis, 1)
    whole = [ops.reshape(b, t, shape) for t in tensors]
    return ops.concat(b, whole[::-1] if backwards else whole, axis)


def _stacked(axis: int, backwards: bool, *arrays: np.ndarray) -> tuple[np.ndarray]:
    return (np.stack(arrays[::-1] if backwards else arrays, axis),)


def _looped(
    turns: _Turns,
    limited: bool,
    conditional: bool,
    runner: Runner,
    arrays: Sequence[np.ndarray],
    outer: Sequence[np.ndarray],
) -> list[np.ndarray]:
    """Run a Loop; without an end it goes on until it is interrupted."""
    places = range(int(arrays[0].reshape(-1)[0])) if limited else count()
    going = _flag(arrays[limited]) if conditional else True
    first = limited + conditional

    def step(turn: int, states: Sequence[Any]) -> Sequence[Any]:
        nonlocal going
        found = runner([np.asarray(turn, np.int64), np.asarray(True), *states, *outer])
        going = _flag(_near(found[0]))
        return found[1:]

    def ends() -> Iterator[int]:
        for turn in places:
            if not going:
                return
            yield turn

    return _run(turns, ends(), step, list(arrays[first:]))


def _scanned(
    turns: _Turns, runner: Runner, arrays: Sequence[np.ndarray], outer: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Run a Scan."""
    fed = [
        np.ascontiguousarray(np.moveaxis(a, axis, 0)[:: -1 if backwards else 1])
        for a, axis, backwards in zip(
            arrays[turns.states :], turns.fed, turns.backwards, strict=True
        )
    ]

    def step(turn: int, states: Sequence[Any]) -> Sequence[Any]:
        return runner([*states, *(a[turn] for a in fed), *outer])

    return _run(turns, iter(range(len(fed[0]))), step, list(arrays[: turns.states]))


def _scanned_items(
    turns: _Turns, runner: Runner, arrays: Sequence[np.ndarray], outer: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Run a Scan for each item of a batch."""
    items = [_scanned(turns, runner, part, outer) for part in zip(*arrays, strict=True)]
    return [np.stack(parts) for parts in zip(*items, strict=True)]


def _run(
    turns: _Turns, places: Iterator[int], step: Any, states: list[np.ndarray]
) -> list[np.ndarray]:
    """Turn by turn: the states at the end, and what the turns gave."""
    rows: list[list[np.ndarray]] = [[] for _ in turns.stacked]
    kinds = [a.dtype for a in states]
    for turn in places:
        found = step(turn, states)
        states = list(found[: turns.states])
        if [a.dtype for a in states] != kinds:
            raise ModelError(f"the body of a loop gives {[a.dtype for a in states]} for {kinds}")
        for own, value in zip(rows, found[turns.states :], strict=True):
            own.append(_near(value))
    sequences: list[np.ndarray] = []
    for place, (parts, (axis, backwards)) in enumerate(zip(rows, turns.stacked, strict=True)):
        if len({a.shape for a in parts}) > 1:
            raise ModelError(f"turns of a loop give {parts[0].shape} and other shapes to stack")
        whole = _stacked(axis, backwards, *parts)[0] if parts else turns.empty(place)
        sequences.append(whole)
    return [*map(_near, states), *sequences]


def _near(array: Any) -> np.ndarray:
    """An array in the memory of the host."""
    return array.get() if hasattr(array, "get") else array


ROWS = (
    Row("If", 1, _if),
    Row("Loop", 1, _loop),
    Row("Scan", 8, _scan),
)
