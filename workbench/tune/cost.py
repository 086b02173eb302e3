"""How long a kernel should take, from its IR alone: a prediction that ranks candidates.

Operations and bytes are counted in the lowered module, loops times their turns, then set against
what the machine can do. It knows no template: any kernel can be asked about.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.driver.occupancy import Occupancy, occupancy
from workbench.ir.expr import Atomic, Binary, BinaryOp, Builtin, Call, Cast, Const, Expr, Load, Var
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, For, If, Stmt, Store, While
from workbench.ir.target import Target
from workbench.ir.traverse import children, inner, walk
from workbench.ir.types import Scope, TensorType
from workbench.tune.machine import Machine, machine_of

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_TURNS_OF_WHILE = 8
_SECTOR_BYTES = 32
_WARP = 32
_CALL_FLOPS = 16  # of exp, tanh … on either kind of machine, roughly
_SPARE_REGISTERS = 24  # addresses and counters of a thread, beside its register tensors
_SEEN = 0.25  # the part of what runs beside the slowest that shows all the same
_SPILL = 3.0  # how much slower arithmetic is on values that do not fit the registers


_INTEGER: dict[BinaryOp, Callable[[Any, Any], Any]] = {
    BinaryOp.ADD: operator.add,
    BinaryOp.SUB: operator.sub,
    BinaryOp.MUL: operator.mul,
    BinaryOp.FLOORDIV: operator.floordiv,
    BinaryOp.TRUNCDIV: operator.floordiv,
    BinaryOp.FLOORMOD: operator.mod,
    BinaryOp.TRUNCMOD: operator.mod,
    BinaryOp.BITAND: operator.and_,
    BinaryOp.BITOR: operator.or_,
    BinaryOp.BITXOR: operator.xor,
    BinaryOp.SHL: operator.lshift,
    BinaryOp.SHR: operator.rshift,
}


@dataclass(frozen=True, slots=True)
class Work:
    """What a launch does, all blocks together.

    Attributes
    ----------
    operations : float
        Arithmetic on numbers, a multiplication with its addition as two.
    tensor_bytes : float
        Size of the global tensors that it touches: what must move at least.
    moved_bytes : float
        What its accesses fetch in whole sectors, each time anew.
    shared_bytes : float
        What moves to and from shared memory.
    barriers : float
        How often a block waits.
    """

    operations: float
    tensor_bytes: float
    moved_bytes: float
    shared_bytes: float
    barriers: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted time.

    Attributes
    ----------
    us : float
        Of a launch [µs].
    limiter : str
        What takes longest: ``arithmetic``, ``memory``, ``cache`` or ``shared memory``.
    """

    us: float
    limiter: str


def predict(module: Module, target: Target, machine: Machine | None = None) -> Prediction:
    """How long a launch should take.

    Parameters
    ----------
    module : Module
        Lowered.
    machine : Machine, optional
        By default what `target` stands for.

    Raises
    ------
    LaunchError
        When not one block fits the machine.
    """
    on = machine or machine_of(target)
    done = count(module)
    launch = module.kernel.launch
    assert launch is not None
    words, shared = _storage(module.kernel)
    resident = 1
    pressure = 1.0
    if target.kind == "cuda":
        resident = _resident(target, launch.threads, words, shared)
        pressure = _SPILL if words + _SPARE_REGISTERS > 255 else 1.0
    elif words > on.registers:
        pressure = _SPILL
    # the last wave of blocks leaves units idle; so does a grid that is too small
    slots = on.units * resident
    filled = launch.blocks / (ceil(launch.blocks / slots) * slots)
    filled = max(filled, min(1.0, launch.blocks / on.units) / resident)
    rate = on.operations_per_us * filled
    parts = {
        "arithmetic": done.operations * pressure / rate,
        "memory": done.tensor_bytes / on.memory_bytes_per_us,
        "cache": done.moved_bytes / on.cache_bytes_per_us,
        "shared memory": done.shared_bytes / (on.shared_bytes_per_us * filled),
    }
    waits = done.barriers * on.barrier_us * ceil(launch.blocks / slots)
    limiter = max(parts, key=parts.__getitem__)
    hidden = sum(parts.values()) - parts[limiter]
    return Prediction(on.launch_us + parts[limiter] + _SEEN * hidden + waits, limiter)


def _resident(target: Target, threads: int, words: int, shared: int) -> int:
    registers = min(255, words + _SPARE_REGISTERS)
    found: Occupancy = occupancy(target.arch or "sm_90a", threads, registers, shared)
    return found.blocks


def _storage(kernel: Function) -> tuple[int, int]:
    """32-bit words of a thread's register tensors, and bytes of a block's shared ones."""
    words = shared = 0
    for node in walk(kernel.body):
        if isinstance(node, Allocate) and isinstance(node.var.type, TensorType):
            if node.var.type.scope is Scope.SHARED:
                shared += node.var.type.size_bytes
            else:
                words += -(-node.var.type.size_bytes // 4)
    return words, shared


def count(module: Module) -> Work:
    """Operations and bytes of one launch.

    Both branches of an If count as taken, a While as some turns.
    """
    kernel, launch = module.kernel, module.kernel.launch
    assert launch is not None
    counter = _Counter({f.name: f for f in module.functions})
    counter.statements(kernel.body, 1.0)
    threads = launch.threads * launch.blocks
    touched = sum(v.tensor.size_bytes for v in counter.touched if v in kernel.params)
    return Work(
        counter.operations * threads,
        float(touched),
        counter.moved_bytes * threads,
        counter.shared_bytes * threads,
        counter.barriers,
    )


@dataclass(frozen=True, slots=True)
class _Loop:
    var: Var
    turns: float
    unrolled: bool


Loops = tuple[_Loop, ...]


class _Counter:
    """What one thread does; barriers are a block's."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self.operations = self.moved_bytes = self.shared_bytes = self.barriers = 0.0
        self.touched: set[Var] = set()
        self.values: dict[Var, Expr] = {}

    def statements(self, body: Stmt, times: float) -> None:
        stack: list[tuple[Stmt, float, Loops]] = [(body, times, ())]
        while stack:
            stmt, times, loops = stack.pop()
            weight = times * prod(loop.turns for loop in loops)
            if isinstance(stmt, Declare) and stmt.value is not None:
                self.values[stmt.var] = stmt.value
            if isinstance(stmt, Store):
                self._access(stmt.tensor, stmt.index, weight)
            for child in children(stmt):
                if not isinstance(child, Stmt):
                    self._expression(child, weight, loops)
            if isinstance(stmt, For):
                loops = (*loops, _Loop(stmt.var, self._turns(stmt), stmt.unroll is not None))
            elif isinstance(stmt, While):
                times *= _TURNS_OF_WHILE
            elif isinstance(stmt, If) and stmt.orelse is not None:
                times /= 2
            # statements in order, so that a Declare is met before its uses
            stack += [(each, times, loops) for each in reversed(inner(stmt))]

    def _turns(self, loop: For) -> float:
        start, stop, step = (int(self._numbers(e)[0]) for e in (loop.start, loop.stop, loop.step))
        return max(0.0, ceil((stop - start) / (step or 1)))

    def _expression(self, root: Node, weight: float, loops: Loops) -> None:
        for node in walk(root):
            match node:
                case Binary() if node.type.is_float:
                    self.operations += weight * node.type.lanes
                case Load():
                    self._access(node.tensor, node.index, weight / self._repeats(node, loops))
                case Atomic():
                    self._access(node.tensor, node.index, weight)
                case Call():
                    self._call(node, weight)
                case _:
                    pass

    def _repeats(self, load: Load, loops: Loops) -> float:
        """How often unrolled loops would load the same element, which the compiler sees."""
        if not any(loop.unrolled for loop in loops):
            return 1.0
        needs: set[Node] = set()
        stack: list[Node] = list(load.index)
        while stack:
            for node in walk(stack.pop()):
                if isinstance(node, Var) and node not in needs:
                    needs.add(node)
                    if node in self.values:
                        stack.append(self.values[node])
        return prod(max(1.0, p.turns) for p in loops if p.unrolled and p.var not in needs)

    def _call(self, node: Call, weight: float) -> None:
        if node.function == "syncthreads":
            self.barriers += weight
        elif node.function == "fma":
            self.operations += 2 * weight
        elif node.function in self.functions:
            self.statements(self.functions[node.function].body, weight)
        else:
            self.operations += _CALL_FLOPS * weight

    def _access(self, tensor: Var, index: tuple[Expr, ...], weight: float) -> None:
        kind = tensor.tensor
        if kind.scope is Scope.REGISTER:
            return
        size = kind.dtype.size_bytes
        places = self._numbers(index[-1])
        if kind.scope is Scope.SHARED:
            # threads of a warp that read one word get it at once
            self.shared_bytes += weight * size * len(set(places.tolist())) / _WARP
        else:
            self.touched.add(tensor)
            sectors = set((places * size // _SECTOR_BYTES).tolist())
            self.moved_bytes += weight * len(sectors) * _SECTOR_BYTES / _WARP

    def _numbers(self, root: Expr) -> np.ndarray:
        """The value in each thread of the first warp, in the first turn of each loop."""
        done: dict[Node, np.ndarray] = {}
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            parts = self._parts(node)
            if ready or not parts:
                done[node] = _value(node, [done[p] for p in parts])
            else:
                stack.append((node, True))
                stack.extend((p, False) for p in parts)
        return done[root]

    def _parts(self, node: Node) -> tuple[Node, ...]:
        if isinstance(node, Var):
            value = self.values.get(node)
            return () if value is None else (value,)
        return children(node) if isinstance(node, Binary | Cast) else ()


def _value(node: Node, parts: list[np.ndarray]) -> np.ndarray:
    match node:
        case Const():
            return np.full(_WARP, int(node.value))
        case Builtin(name="threadIdx.x"):
            return np.arange(_WARP)
        case Var() | Cast():
            return parts[0] if parts else np.zeros(_WARP, int)
        case Binary(op=BinaryOp.MIN):
            return np.minimum(parts[0], parts[1])
        case Binary(op=BinaryOp.MAX):
            return np.maximum(parts[0], parts[1])
        case Binary() if node.op in _INTEGER:
            with np.errstate(all="ignore"):
                return _INTEGER[node.op](parts[0], parts[1])
        case _:
            return np.zeros(_WARP, int)
