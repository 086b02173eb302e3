"""Random modules that mean something: every run ends, and every run gives the same.

`modules()` gives well-typed kernels with defined behaviour only: no division by zero, shifts in
range, indices in range, initialised memory, no races, aligned vectors, barriers and shuffles
where all threads come. Floats hold small whole numbers, so that no order of operations and no
fused multiply-add changes a result. `arguments(module, seed)` gives arrays to run one with.
Other rooms use both to compare two ways to run a module.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from workbench.ir.build import add, call, cast, const, floormod, load, mul, select, unary
from workbench.ir.expr import (
    Atomic,
    AtomicOp,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Const,
    Expr,
    Extract,
    Pack,
    UnaryOp,
    Var,
)
from workbench.ir.module import Function, Launch, Module, Table
from workbench.ir.stmt import (
    Allocate,
    Assign,
    Break,
    Continue,
    Declare,
    Evaluate,
    For,
    ForTask,
    If,
    Return,
    Seq,
    Stmt,
    Store,
    While,
)
from workbench.ir.types import (
    DType,
    Scope,
    TensorType,
    bf16,
    boolean,
    f16,
    f32,
    f64,
    i8,
    i32,
    i64,
    u8,
    u32,
    u64,
)
from workbench.mapping import (
    Layout,
    TaskMapping,
    auto_map,
    column_major,
    column_repeat,
    predicated_auto_map,
    repeat,
    row_major,
    spatial,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Draw = Any
KINDS = (i32, i32, i32, f32, f32, i64, u8, u32, f64, f16, bf16, boolean, i8, u64)
LARGEST = {"f16": 512, "bf16": 64, "f32": 2**20, "f64": 2**40}
"""Whole numbers up to which a float type is used; well inside what it holds exactly."""


def _two_dims(worker: int) -> list[tuple[int, int]]:
    return [(worker % 3, worker // 3), (2 - worker % 3, 1)]


def _uneven(worker: int) -> list[tuple[int, int]]:
    return [(n, worker % 2) for n in range(worker % 4)]


MAPPINGS: tuple[TaskMapping, ...] = (
    spatial(4, 8),
    repeat(2, 3),
    repeat(4, 1) * spatial(2, 8),
    spatial(2, 2) * repeat(2, 2),
    repeat(2, 1, attrs="unroll").spatial(8, 4).repeat(1, 2),
    column_repeat(2, 3) * spatial(2, 2),
    (spatial(2, 2) * repeat(2, 2)).projection({1: 0}),
    auto_map(8, 8, workers=16),
    predicated_auto_map(7, 5, workers=16),
    TaskMapping((3, 4), 9, _two_dims),
    TaskMapping((3, 2), 8, _uneven),
    spatial(2, 1) * TaskMapping((3, 2), 8, _uneven) * repeat(1, 2),
)

LAYOUTS: tuple[Layout | None, ...] = (
    None,
    row_major(8, 8).swizzle(3),
    column_major(8, 8),
    row_major(2, 4) * column_major(4, 2),
)


@dataclass
class Place:
    """What may be used where code is being drawn."""

    draw: Draw
    launch: Launch
    params: list[Var]
    readable: list[Var] = field(default_factory=list)
    changeable: list[Var] = field(default_factory=list)
    tensors: list[Var] = field(default_factory=list)
    below: dict[Var, int] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    loop: str = ""
    names: list[int] = field(default_factory=lambda: [0])
    mappings: tuple[TaskMapping, ...] = MAPPINGS

    def inside(self, **changes: Any) -> Place:
        """A scope inside this one."""
        copies = {
            "readable": list(self.readable),
            "changeable": list(self.changeable),
            "tensors": list(self.tensors),
            "below": dict(self.below),
        }
        return replace(self, **{**copies, **changes})

    def pick(self, items: Any) -> Any:
        """One of these."""
        return self.draw(st.sampled_from(list(items)))

    def number(self, least: int, most: int) -> int:
        """An integer, both ends included."""
        return self.draw(st.integers(least, most))

    def new(self, kind: DType | TensorType, word: str = "v") -> Var:
        """A new variable; names repeat on purpose."""
        self.names[0] += 1
        return Var(f"{word}{self.names[0] % 3 or ''}", kind)


def _reach(kind: DType) -> int:
    return LARGEST[kind.scalar]


def _constant(p: Place, kind: DType) -> Const:
    if kind.kind == "b":
        return const(p.draw(st.booleans()), kind)
    if kind.is_float:
        return const(float(p.number(-4, 4)), kind)
    small = p.number(-9 if kind.kind == "i" else 0, 9)
    edge = p.pick([-(2 ** (kind.bits - 1)), 2 ** (kind.bits - 1) - 1, 2**kind.bits - 1])
    return const(p.pick([small, small, small, edge]), kind)


def expression(p: Place, kind: DType, depth: int) -> tuple[Expr, int]:
    """An expression of a scalar type; for floats, a bound of its magnitude (else 0)."""
    if depth <= 0 or p.number(0, 5) == 0:
        return _leaf(p, kind)
    if kind.kind == "b":
        return _truth(p, depth), 0
    if kind.is_float:
        return _float(p, kind, depth)
    return _integer(p, kind, depth), 0


def integer(p: Place, kind: DType, depth: int) -> Expr:
    """An expression of an integer type or bool."""
    return expression(p, kind, depth)[0]


def _leaf(p: Place, kind: DType) -> tuple[Expr, int]:
    choices: list[tuple[Expr, int]] = [(_constant(p, kind), 4)]
    choices += [(v, 4) for v in p.readable if v.type == kind]
    if kind == i32:
        groups = ("threadIdx", "blockIdx", "blockDim", "gridDim")
        choices += [(Builtin(f"{p.pick(groups)}.{p.pick('xy')}"), 0)]
    loads = [t for t in p.tensors if t.tensor.dtype == kind]
    if loads and p.draw(st.booleans()):
        tensor = p.pick(loads)
        return load(tensor, [_index(p, e) for e in tensor.tensor.extents]), 4
    return p.pick(choices)


def _index(p: Place, extent: int) -> Expr:
    """An index that is in range."""
    fitting = [v for v, below in p.below.items() if below <= extent]
    if fitting and p.number(0, 3):
        return p.pick(fitting)
    return floormod(integer(p, i32, 1), extent)


def _integer(p: Place, kind: DType, depth: int) -> Expr:
    a = integer(p, kind, depth - 1)
    choice = p.number(0, 11)
    if choice <= 3:
        op = p.pick([BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.MIN, BinaryOp.MAX])
        return _raw(op, a, integer(p, kind, depth - 1))
    if choice <= 6:
        divisor = const(p.pick([1, 2, 3, 4, 7, 8, 16]), kind)
        if p.number(0, 4) == 0:
            seven = _raw(BinaryOp.BITAND, integer(p, kind, depth - 1), const(7, kind))
            divisor = _raw(BinaryOp.ADD, seven, const(1, kind))
        return _raw(p.pick([BinaryOp.FLOORDIV, BinaryOp.FLOORMOD]), a, divisor)
    if choice == 7:
        op = p.pick([BinaryOp.BITAND, BinaryOp.BITOR, BinaryOp.BITXOR])
        return _raw(op, a, integer(p, kind, depth - 1))
    if choice == 8:
        amount = const(p.number(0, kind.bits - 1), kind)
        return _raw(p.pick([BinaryOp.SHL, BinaryOp.SHR]), a, amount)
    if choice == 9:
        return unary(p.pick([UnaryOp.NEG, UnaryOp.INVERT]), a)
    if choice == 10:
        return select(_truth(p, depth - 1), a, integer(p, kind, depth - 1))
    return _converted(p, kind, depth)


def _raw(op: BinaryOp, a: Expr, b: Expr) -> Expr:
    """Without folding, so that passes have something to do."""
    kind = a.type
    assert isinstance(kind, DType)
    truth = op in (BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE)
    return Binary(op, a, b, boolean if truth else kind)


def _converted(p: Place, kind: DType, depth: int) -> Expr:
    other = p.pick([k for k in KINDS if k != kind])
    value, _ = expression(p, other, depth - 1)
    if other.is_float and kind.kind == "u":
        value = call("abs", value)
    return cast(value, kind)


def _float(p: Place, kind: DType, depth: int) -> tuple[Expr, int]:
    a, high = expression(p, kind, depth - 1)
    choice = p.number(0, 8)
    if choice <= 3:
        op = p.pick([BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.MIN, BinaryOp.MAX])
        b, other = expression(p, kind, depth - 1)
        bound = high * other if op is BinaryOp.MUL else high + other
        if bound <= _reach(kind):
            return _raw(op, a, b), bound
        return _clamped(a, kind), 4
    if choice == 4:
        return unary(UnaryOp.NEG, a), high
    if choice == 5:
        b, other = expression(p, kind, depth - 1)
        return select(_truth(p, depth - 1), a, b), max(high, other)
    if choice == 6:
        return call(p.pick(["abs", "floor", "ceil", "round", "trunc"]), a), high
    if choice == 7:
        small = _raw(BinaryOp.BITAND, integer(p, i32, depth - 1), const(3, i32))
        return cast(small, kind), 4
    other = p.pick([k for k in (f16, bf16, f32, f64) if k != kind])
    b, bound = expression(p, other, depth - 1)
    return (cast(b, kind), bound) if bound <= _reach(kind) else (cast(_clamped(b, other), kind), 4)


def _clamped(a: Expr, kind: DType) -> Expr:
    return _raw(BinaryOp.MAX, _raw(BinaryOp.MIN, a, const(4.0, kind)), const(-4.0, kind))


def _truth(p: Place, depth: int) -> Expr:
    choice = p.number(0, 5)
    if choice <= 2 or depth <= 0:
        kind = p.pick([k for k in KINDS if k.kind != "b"])
        op = p.pick([BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE])
        a, b = expression(p, kind, depth - 1)[0], expression(p, kind, depth - 1)[0]
        return _raw(op, a, b)
    if choice == 3:
        return unary(UnaryOp.NOT, _truth(p, depth - 1))
    op = p.pick([BinaryOp.AND, BinaryOp.OR])
    return _raw(op, _truth(p, depth - 1), _truth(p, depth - 1))


def value_of(p: Place, kind: DType, depth: int) -> Expr:
    """An expression that may be kept: a float is brought back to what a variable may hold."""
    expr, high = expression(p, kind, depth)
    return _clamped(expr, kind) if high > 4 else expr


def block(p: Place, depth: int, most: int = 3) -> Seq:
    """Some statements that any thread may run, whatever the others do."""
    p = p.inside()
    body: list[Stmt] = []
    for _ in range(p.number(1, most)):
        body.extend(_statement(p, depth))
    return Seq(tuple(body))


def _statement(p: Place, depth: int) -> list[Stmt]:
    makers: list[Callable[[Place, int], list[Stmt]]] = [_declare, _assign, _store, _store]
    if depth > 0:
        makers += [_if, _for, _while, _tasks, _for, _tasks]
    if p.loop:
        makers.append(_leave)
    return p.pick(makers)(p, depth)


def _declare(p: Place, depth: int) -> list[Stmt]:
    kind = p.pick(KINDS)
    value = value_of(p, kind, 2 + depth)
    var = p.new(kind)
    p.readable.append(var)
    if p.draw(st.booleans()):
        p.changeable.append(var)
    return [Declare(var, value)]


def _assign(p: Place, depth: int) -> list[Stmt]:
    if not p.changeable:
        return _declare(p, depth)
    var = p.pick(p.changeable)
    return [Assign(var, value_of(p, var.type, 2 + depth))]


def _store(p: Place, depth: int) -> list[Stmt]:
    """A store to a register tensor, or an atomic that commutes."""
    own = [t for t in p.tensors if t.tensor.scope is Scope.REGISTER]
    if not own or p.number(0, 5) == 0:
        count = p.params[0]
        place = (_index(p, count.tensor.extents[0]),)
        op = p.pick([AtomicOp.ADD, AtomicOp.ADD])
        value = integer(p, i32, 1)
        return [Evaluate(Atomic(op, count, place, value, None, i32))]
    tensor = p.pick(own)
    index = tuple(_index(p, e) for e in tensor.tensor.extents)
    return [Store(tensor, index, value_of(p, tensor.tensor.dtype, 2 + depth))]


def _if(p: Place, depth: int) -> list[Stmt]:
    then = block(p, depth - 1)
    other = block(p, depth - 1) if p.draw(st.booleans()) else None
    return [If(_truth(p, 2), then, other)]


def _leave(p: Place, depth: int) -> list[Stmt]:
    del depth
    return [If(_truth(p, 1), p.pick([Break, Continue])())]


def _for(p: Place, depth: int) -> list[Stmt]:
    kind = p.pick([i32, i32, i64])
    var = p.new(kind, "k")
    start, step = p.number(-2, 2), p.pick([1, 1, 1, 2, -1])
    stop = start + step * p.number(0, 3)
    inside = p.inside(loop="for")
    inside.readable.append(var)
    if kind == i32 and start >= 0 and step > 0:
        inside.below[var] = max(stop, 1)
    bounds = const(start, kind), const(stop, kind), const(step, kind)
    if p.draw(st.booleans()) and kind == i32 and step == 1:
        # a bound that is not known before the run
        wish = Binary(BinaryOp.MIN, bounds[1], integer(p, i32, 1), i32)
        bounds = (bounds[0], wish, bounds[2])
    unroll = p.pick([None, None, 0, 1, 2])
    return [For(var, *bounds, block(inside, depth - 1), unroll)]


def _while(p: Place, depth: int) -> list[Stmt]:
    var, turns = p.new(i32, "n"), p.number(0, 3)
    inside = p.inside(loop="while")
    inside.readable.append(var)
    # counts before anything can go on with the next turn
    count = Assign(var, _raw(BinaryOp.ADD, var, const(1)))
    body = Seq((count, *block(inside, depth - 1).body))
    start = Declare(var, const(0))
    p.readable.append(var)
    return [start, While(_raw(BinaryOp.LT, var, const(turns)), body)]


def _tasks(p: Place, depth: int) -> list[Stmt]:
    mapping = p.pick(p.mappings)
    variables = tuple(p.new(i32, word) for word in "ij")
    inside = p.inside(loop="tasks")
    inside.readable += variables
    inside.below.update(zip(variables, mapping.shape, strict=True))
    worker = p.pick([Builtin("threadIdx.x"), const(0), integer(p, i32, 1)])
    if p.draw(st.booleans()):
        worker = floormod(Builtin("threadIdx.x"), mapping.workers + p.number(-1, 2) or 1)
    return [ForTask(variables, mapping, worker, block(inside, depth - 1))]


def _register(p: Place) -> list[Stmt]:
    """A register tensor, filled by a task loop of one worker."""
    kind = p.pick(KINDS)
    tensor = p.new(TensorType(kind, (8, 8), Scope.REGISTER, p.pick(LAYOUTS)), "t")
    i, j = p.new(i32, "i"), p.new(i32, "j")
    inside = p.inside()
    inside.readable += [i, j]
    value = value_of(inside, kind, 2)
    p.tensors.append(tensor)
    fill = ForTask((i, j), repeat(8, 8), const(0), Store(tensor, (i, j), value))
    return [Allocate(tensor), fill]


def _shared(p: Place) -> list[Stmt]:
    """A shared tensor: each thread writes its own, and after a barrier reads any."""
    kind = p.pick([i32, f32, i64, f64, u8, f16, boolean])
    x, y, _ = p.launch.block
    tensor = Var("s", TensorType(kind, (y, x), Scope.SHARED))
    own = (Builtin("threadIdx.y"), Builtin("threadIdx.x"))
    store = Store(tensor, own, value_of(p, kind, 2))
    sync = Evaluate(Call("syncthreads", (), None))
    read = load(tensor, (_index(p, y), _index(p, x)))
    var = p.new(kind)
    p.readable.append(var)
    return [Allocate(tensor), store, sync, Declare(var, read)]


def _shuffle(p: Place) -> list[Stmt]:
    """A warp's lanes exchange numbers, where all 32 are there."""
    if p.launch.threads % 32:
        return _declare(p, 0)
    kind = p.pick([i32, f32, i64, u32, f16])
    name = p.pick(["shfl_xor", "shfl_down", "shfl_up", "shfl"])
    var = p.new(kind)
    value = Call(name, (value_of(p, kind, 1), const(p.number(0, 16))), kind)
    p.readable.append(var)
    return [Declare(var, value)]


def _vector(p: Place) -> list[Stmt]:
    """Four neighbours of an input, packed anew."""
    wide = [t for t in p.params[1:] if t.tensor.extents[-1] == 8 and t in p.tensors]
    if not wide:
        return _declare(p, 0)
    tensor = p.pick(wide)
    kind = tensor.tensor.dtype
    index = (_index(p, tensor.tensor.extents[0]), mul(_index(p, 2), 4))
    var, packed = p.new(kind.vector(4), "x"), p.new(kind.vector(4), "x")
    lane = p.number(0, 3)
    turned = Pack(tuple(Extract(var, n, kind) for n in (3, 1, 0, 2)), kind.vector(4))
    one = p.new(kind)
    p.readable.append(one)
    return [
        Declare(var, load(tensor, index, lanes=4)),
        Declare(packed, turned),
        Declare(one, Extract(packed, lane, kind)),
    ]


def _device(p: Place, number: int) -> Function:
    """A function of two numbers."""
    kinds = p.pick(KINDS), p.pick(KINDS)
    params = tuple(Var(name, kind) for name, kind in zip("ab", kinds, strict=True))
    result = p.pick(KINDS)
    inside = p.inside(readable=list(params), tensors=[], changeable=[], below={}, loop="")
    body: list[Stmt] = [*_declare(inside, 0), *_declare(inside, 0)]
    if p.draw(st.booleans()):
        body.append(If(_truth(inside, 1), Return(value_of(inside, result, 1))))
    body.append(Return(value_of(inside, result, 2)))
    return Function(f"helper{number or ''}", params, Seq(tuple(body)), None, result)


def _use(p: Place) -> list[Stmt]:
    """A call of a device function."""
    if not p.functions:
        return _declare(p, 0)
    function = p.pick(p.functions)
    args = tuple(value_of(p, a.type, 1) for a in function.params)
    var = p.new(function.result)
    p.readable.append(var)
    return [Declare(var, Call(function.name, args, function.result))]


def _outputs(p: Place, outputs: list[Var]) -> list[Stmt]:
    """Each thread writes its own element of each output."""
    x, y, _ = p.launch.block
    thread = add(mul(Builtin("threadIdx.y"), x), Builtin("threadIdx.x"))
    own = add(mul(Builtin("blockIdx.x"), x * y), thread)
    stores: list[Stmt] = []
    for out in outputs:
        kind = out.tensor.dtype
        kept = [v for v in p.readable if v.type == kind]
        stores += [Store(out, (own,), v) for v in kept[-1:]]
        stores.append(Store(out, (own,), value_of(p, kind, 3)))
    return stores


@st.composite
def modules(draw: Draw, *, shared: bool = True, written: bool = False) -> Module:
    """A kernel at level `script` with its device functions and tables.

    Parameters
    ----------
    shared : bool
        Whether threads may work together: barriers, shared memory and shuffles.
    written : bool
        Leave out mappings by Python functions, which have no text that can be read back.
    """
    block_size = draw(st.sampled_from([(32, 1, 1), (8, 4, 1), (40, 1, 1), (64, 1, 1)]))
    launch = Launch((draw(st.integers(1, 3)), 1, 1), block_size)
    p = Place(draw, launch, [Var("count", i32[4])])
    if written:
        p.mappings = tuple(m for m in MAPPINGS if "TaskMapping" not in str(m))
    kinds = [p.pick(KINDS) for _ in range(2)]
    p.params += [Var(f"in{n}", kind[(4, 8)]) for n, kind in enumerate(kinds)]
    p.tensors += p.params[1:]
    scalar = Var("n", p.pick([i32, f32, u8]))
    outputs = [
        Var(f"out{n}", TensorType(p.pick(KINDS), (launch.blocks * launch.threads,)))
        for n in range(2)
    ]
    tables = [Table(Var("lut", TensorType(i32, (5,), Scope.CONSTANT)), (3, 1, 4, 1, 5))]
    p.functions += [_device(p, n) for n in range(p.number(0, 2))]
    p.readable.append(scalar)
    p.tensors.append(tables[0].var)
    body: list[Stmt] = []
    together = [_shuffle] if shared else []
    parts = [_register, _vector, _use, *together]
    for _ in range(p.number(1, 4)):
        body += p.pick(parts)(p)
        body += _statement(p, 2)
    if shared and draw(st.booleans()):
        body += _shared(p)
        body += _statement(p, 1)
    body += _outputs(p, outputs)
    params = (*p.params, scalar, *outputs)
    kernel = Function("kernel", params, Seq(tuple(body)), launch)
    return Module((*p.functions, kernel), tuple(tables))


def arguments(module: Module, seed: int = 0) -> list[Any]:
    """Arrays and numbers for the kernel of a module that `modules` drew, the same for a seed.

    Floats are whole numbers from -4 to 4; outputs are zero.
    """
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for param in module.kernel.params:
        kind = param.type.dtype if isinstance(param.type, TensorType) else param.type
        dtype = _numpy(kind)
        shape = param.type.extents if isinstance(param.type, TensorType) else ()
        if param.name.startswith(("out", "count")):
            found.append(np.zeros(shape, dtype))
            continue
        values = rng.integers(-4, 5, shape)
        if kind.is_int:
            info = np.iinfo(dtype)
            values = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        elif kind.kind == "b":
            values = rng.integers(0, 2, shape)
        array = np.asarray(values).astype(dtype)
        found.append(array if shape else array[()])
    return found


def _numpy(kind: DType) -> Any:
    if kind.scalar == "bf16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(kind.numpy_name)
