"""The state of the threads that run together: several whole blocks, in lockstep.

A mask is an array of bool with one entry per thread. `full` is the mask of all threads, known by
identity; None is the mask of nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.interp.report import Coordinate, Fault, FaultLog
from workbench.interp.shadow import WARP, Clock, Conflict, party

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.base.span import Span
    from workbench.interp.access import AccessLog
    from workbench.interp.storage import Storage
    from workbench.interp.values import Array
    from workbench.ir.expr import Binary, Const, Var
    from workbench.ir.module import Function, Launch, Module
    from workbench.ir.node import Node
    from workbench.ir.stmt import ForTask
    from workbench.mapping import TaskMapping

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
else:
    np = lazy("numpy")


@dataclass(frozen=True, slots=True)
class Rule:
    """How a binary expression is worked out.

    Attributes
    ----------
    divides, shifts : bool
        Whether a divisor may be 0, or a count outside the bits.
    fixed : bool
        Whether the value is the same whenever it is asked for.
    """

    apply: Callable[[Array, Array], Array]
    divides: bool
    shifts: bool
    fixed: bool


@dataclass
class Run:
    """What all blocks of a run share."""

    module: Module
    launch: Launch
    tensors: dict[Var, Storage]
    scalars: dict[Var, Array]
    checks: bool
    log: FaultLog
    accesses: AccessLog | None
    step_limit: int
    turn_limit: int
    steps: int = 0
    sites: dict[int, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[Const, Array] = field(default_factory=dict)
    tables: dict[TaskMapping, Array] = field(default_factory=dict)
    rules: dict[Binary, Rule] = field(default_factory=dict)

    def table(self, mapping: TaskMapping) -> Array:
        """Tasks of each worker, shape [workers, tasks, rank], -1 where there is none."""
        found = self.tables.get(mapping)
        if found is None:
            found = self.tables[mapping] = mapping.table()
        return found

    def site(self, node: Node) -> int:
        """A small number for `node`, always the same."""
        found = self.sites.get(id(node))
        if found is None:
            found = self.sites[id(node)] = len(self.nodes)
            self.nodes.append(node)
        return found


@dataclass
class Tasks:
    """The tasks of a ForTask for one choice of workers.

    Attributes
    ----------
    worker : ndarray
        As it was evaluated; while it is the same object, so are the tasks.
    row : ndarray, shape [threads]
        Row of each thread in the table; 0 for those outside the mapping.
    inside : mask
        Threads that are workers of the mapping.
    table : ndarray, shape [workers, tasks, rank]
    turns : dict
        Coordinates of each turn and who takes part in it, as far as they are known.
    """

    worker: Array
    row: Array
    inside: Mask
    table: Array
    turns: dict[int, tuple[tuple[Array, ...], Array]] = field(default_factory=dict)


@dataclass
class Loop:
    """Threads that left a turn early; `broken` those that left the loop."""

    broken: Mask | None = None
    continued: Mask | None = None


@dataclass
class Frame:
    """A function under way; `value` is what the threads in `returned` have brought back."""

    returned: Mask | None = None
    value: Array | None = None
    loops: list[Loop] = field(default_factory=list)


Invoke = Callable[["Machine", "Function", "Mask"], "Array | None"]


class Machine:
    """Threads of the blocks `first` … `first + blocks - 1`.

    Attributes
    ----------
    size : int
        Threads that run together.
    lanes, lane : ndarray of int64, shape [size]
        Position of each thread here, and its lane in its warp.
    block, warp : ndarray of int64, shape [size]
        Number of its block and of its warp among those that run together.
    values : dict of Var to ndarray
        Local scalars and parameters.
    tensors : dict of Var to Storage
    fixed : dict of Binary to ndarray
        Values of expressions of the thread's coordinates alone.
    unset : dict of Var to mask
        Of a local scalar declared without a value: who has given it one.
    exited : mask
        Threads that have returned from the kernel.
    exits : int
        How many break, continue and return were carried out so far.
    """

    def __init__(self, run: Run, first: int, blocks: int, invoke: Invoke) -> None:
        self.run = run
        self.invoke = invoke
        self.first, self.blocks = first, blocks
        self.threads = run.launch.threads
        self.size = blocks * self.threads
        self.full: Mask = np.ones(self.size, dtype=bool)
        self.lanes: Ints = np.arange(self.size)
        self.block: Ints = self.lanes // self.threads
        thread = self.lanes % self.threads
        self.lane: Ints = thread % WARP
        self.warp: Ints = self.block * -(-self.threads // WARP) + thread // WARP
        self.clock = Clock(self.threads, self.lanes + first * self.threads)
        self.values: dict[Var, Array] = dict(run.scalars)
        self.tensors: dict[Var, Storage] = dict(run.tensors)
        self.unset: dict[Var, Mask] = {}
        self.fixed: dict[Binary, Array] = {}
        self.tasks: dict[ForTask, Tasks] = {}
        self.exited: Mask = np.zeros(self.size, dtype=bool)
        self.exits = 0
        self.frames: list[Frame] = [Frame()]
        self.builtins = _builtins(run.launch, self.block + first, thread)

    @property
    def checks(self) -> bool:
        """Whether races and uninitialised reads are looked for."""
        return self.run.checks

    @property
    def frame(self) -> Frame:
        """The innermost function under way."""
        return self.frames[-1]

    def step(self, node: Node) -> None:
        """Count a statement.

        Raises
        ------
        WorkbenchError
            When there were too many.
        """
        self.run.steps += 1
        if self.run.steps > self.run.step_limit:
            raise WorkbenchError(
                f"stopped after {self.run.step_limit} steps",
                node.span,
                "a loop may never end; a higher step_limit lets it go on",
            )

    def chosen(self, mask: Mask) -> Ints:
        """Positions of the threads in `mask`."""
        return self.lanes if mask is self.full else np.flatnonzero(mask)

    def narrow(self, mask: Mask, cond: Array) -> tuple[Mask | None, Mask | None]:
        """The threads of `mask` where `cond` is true, and the others."""
        if cond.ndim == 0:
            return (mask, None) if cond else (None, mask)
        yes = mask & cond
        found = np.count_nonzero(yes)
        if not found:
            return None, mask
        if found == (self.size if mask is self.full else np.count_nonzero(mask)):
            return mask, None
        return yes, mask & ~cond

    def position(self, thread: int) -> tuple[Coordinate, Coordinate]:
        """Coordinates (blockIdx, threadIdx) of a thread of the launch, by its number."""
        block, lane = divmod(thread, self.threads)
        return (_coordinate(block, self.run.launch.grid), _coordinate(lane, self.run.launch.block))

    def fault(
        self,
        kind: str,
        node: Node,
        lanes: Ints,
        tell: Callable[[int], str],
        tensor: str = "",
        index: Callable[[int], tuple[int, ...]] | None = None,
        other: int | None = None,
    ) -> None:
        """Record that the threads in `lanes` did something wrong.

        Parameters
        ----------
        tell : callable
            Gets a thread's position, gives what it did as a verb phrase.
        index : callable
            Gets a thread's position, gives the index that it used.
        other : int
            Position of the second party, if there is one.
        """
        if not len(lanes) or self.run.log.known(kind, id(node), len(lanes)):
            return
        lane = int(lanes[0])
        block, thread = self.position(int(self.clock.thread[lane]))
        message = f"{_line(node.span)}block {block}, thread {thread} {tell(lane)}"
        at = index(lane) if index else ()
        with_whom = (None, None)
        if other is not None:
            with_whom = self.position(int(self.clock.thread[other]))
        fault = Fault(kind, message, node.span, block, thread, *with_whom, None, tensor, at)
        self.run.log.add(id(node), fault)

    def race(
        self,
        node: Node,
        lanes: Ints,
        conflict: Conflict,
        tensor: str,
        index: Callable[[int], tuple[int, ...]],
    ) -> None:
        """Record a race; `conflict` counts positions in `lanes`, the touching threads."""
        if self.run.log.known("race", id(node), conflict.count):
            return
        lane = int(lanes[conflict.position])
        number, site = party(conflict.record)
        me = self.position(int(self.clock.thread[lane]))
        them, other = self.position(number), self.run.nodes[site]
        at, same = index(lane), me[0] == them[0]
        what = f"{VERBS[type(node).__name__]} {element(tensor, at)}"
        whom = f"thread {them[1]}" if same else f"block {them[0]}, thread {them[1]}"
        where = f" in line {other.span.line}" if other.span else ""
        message = (
            f"{_line(node.span)}block {me[0]}, thread {me[1]} {what}, which {whom} "
            f"{VERBS[type(other).__name__]}{where}: "
            f"{'no barrier between' if same else 'nothing orders two blocks'}"
        )
        fault = Fault("race", message, node.span, *me, *them, other.span, tensor, at)
        self.run.log.add(id(node), fault)


VERBS = {"Load": "reads", "Store": "writes", "Atomic": "updates"}


def element(tensor: str, index: tuple[int, ...]) -> str:
    """``a[3, 4]``."""
    return f"{tensor}[{', '.join(map(str, index))}]"


def _line(span: Span | None) -> str:
    return f"line {span.line}: " if span else ""


def _coordinate(number: int, extents: Coordinate) -> Coordinate:
    x, y, _ = extents
    return number % x, number // x % y, number // (x * y)


def _builtins(launch: Launch, block: Ints, thread: Ints) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for group, extents, number in (("block", launch.grid, block), ("thread", launch.block, thread)):
        stride = 1
        for axis, extent in zip("xyz", extents, strict=True):
            value = (number // stride % extent).astype(np.int32)
            same = extent == 1 or (group == "block" and bool((value == value[0]).all()))
            found[f"{group}Idx.{axis}"] = value[0] if same else value
            size = "gridDim" if group == "block" else "blockDim"
            found[f"{size}.{axis}"] = np.int32(extent)  # pyright: ignore[reportArgumentType]
            stride *= extent
    return found
