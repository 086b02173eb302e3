"""Random modules that mean something: every run ends, and every run gives the same.

`modules()` gives well-typed kernels with defined behaviour only: no division by zero, shifts in
range, indices in range, initialised memory, no races, aligned vectors, barriers and shuffles
where all threads come. Floats hold small whole numbers, so that no order of operations and no
fused multiply-add changes a result. `arguments(module, seed)` gives arrays to run one with.
Other rooms use both to compare two ways to run a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from workbench.ir.build import add, const, floormod, load, mul
from workbench.ir.expr import (
    Atomic,
    AtomicOp,
    Binary,
    BinaryOp,
    Builtin,
    Call,
    Extract,
    Pack,
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
    boolean,
    f16,
    f32,
    f64,
    i32,
    i64,
    u8,
    u32,
)
from workbench.mapping import (
    repeat,
)

if TYPE_CHECKING:
    from collections.abc import Callable

from tests.ir.draws import (
    KINDS,
    LAYOUTS,
    MAPPINGS,
    Draw,
    Place,
    index_below,
    integer,
    raw,
    truth,
    value_of,
)


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
        place = (index_below(p, count.tensor.extents[0]),)
        op = p.pick([AtomicOp.ADD, AtomicOp.ADD])
        value = integer(p, i32, 1)
        return [Evaluate(Atomic(op, count, place, value, None, i32))]
    tensor = p.pick(own)
    index = tuple(index_below(p, e) for e in tensor.tensor.extents)
    return [Store(tensor, index, value_of(p, tensor.tensor.dtype, 2 + depth))]


def _if(p: Place, depth: int) -> list[Stmt]:
    then = block(p, depth - 1)
    other = block(p, depth - 1) if p.draw(st.booleans()) else None
    return [If(truth(p, 2), then, other)]


def _leave(p: Place, depth: int) -> list[Stmt]:
    del depth
    return [If(truth(p, 1), p.pick([Break, Continue])())]


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
    count = Assign(var, raw(BinaryOp.ADD, var, const(1)))
    body = Seq((count, *block(inside, depth - 1).body))
    start = Declare(var, const(0))
    p.readable.append(var)
    return [start, While(raw(BinaryOp.LT, var, const(turns)), body)]


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
    read = load(tensor, (index_below(p, y), index_below(p, x)))
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
    index = (index_below(p, tensor.tensor.extents[0]), mul(index_below(p, 2), 4))
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
        body.append(If(truth(inside, 1), Return(value_of(inside, result, 1))))
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
