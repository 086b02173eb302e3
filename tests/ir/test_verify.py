"""The verifier: each rule is broken once, and the message says where and what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.base.errors import VerifyError
from workbench.ir.build import const, load
from workbench.ir.expr import TRUE, Atomic, AtomicOp, Binary, BinaryOp, Call, Cast, Const, Var
from workbench.ir.module import Function, Launch, Level, Module, Table
from workbench.ir.parse import parse
from workbench.ir.stmt import Allocate, Assign, Declare, Evaluate, For, Seq, Store
from workbench.ir.types import Dim, Scope, TensorType, f16, f32, i32
from workbench.ir.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.ir.stmt import Stmt

KERNEL = "func f(a: f32[64, 8], n: i32) launch(grid=1, block=128)\n  "
ONE = "func f(a: i32[64], n: i32) launch(grid=1, block=128)\n  "

BAD_TEXTS = {
    "too many threads": "func f() launch(grid=1, block=(64, 32))\n  pass",
    "block z": "func f() launch(grid=1, block=(1, 1, 65))\n  pass",
    "empty grid": "func f() launch(grid=0, block=1)\n  pass",
    "grid y": "func f() launch(grid=(1, 65536), block=1)\n  pass",
    "arity": f"{KERNEL}a[n] = 1.0",
    "index type": f"{KERNEL}a[n, 1.0] = 1.0",
    "stored type": f"{KERNEL}a[n, 0] = 1",
    "lanes": f"{KERNEL}a[n, 0] = a[n, 0:+3][0]",
    "operand types": f"{KERNEL}a[n, 0] = a[n, 0] + 1",
    "division of integers": f"{KERNEL}let x: i32 = n / 2",
    "floor division of floats": f"{KERNEL}a[0, 0] = a[0, 0] // 2.0",
    "shift of bool": f"{KERNEL}let x: bool = True << True",
    "and of integers": f"{KERNEL}let x: bool = n and n",
    "condition": f"{KERNEL}if n\n    return",
    "branches": f"{KERNEL}let x: i32 = n if n < 0 else 1.0",
    "declared type": f"{KERNEL}let x: f32 = n",
    "assigned type": f"{KERNEL}var x: f32 = 1.0\n  x = 1",
    "loop variable": f"{KERNEL}for i in range(4)\n    i = 1",
    "step": f"{KERNEL}for i in range(4, 0, 0)\n    pass",
    "loop type": f"{KERNEL}for i: f32 in range(0.0, 1.0, 1.0)\n    pass",
    "break outside": f"{KERNEL}break",
    "continue outside": f"{KERNEL}if n < 1\n    continue",
    "return of a kernel": f"{KERNEL}return n",
    "no return": "func f(x: f32) -> f32\n  if x < 0.0\n    return x",
    "returned type": "func f(x: f32) -> i32\n  return x",
    "function types": f"func g(x: f32) -> f32\n  return x\n\n{KERNEL}let x: f32 = g(n)",
    "no value": f"{KERNEL}let x: i32 = syncthreads()",
    "task variables": f"{KERNEL}for i in repeat(4, 1).on(0)\n    pass",
    "worker": f"{KERNEL}for i, j in repeat(4, 1).on(a[0, 0])\n    pass",
    "atomic operand": f"{ONE}let x: i32 = 1 + atomic_add(a[0], 1)",
    "atomic of registers": f"{ONE}register r: i32[4]\n  atomic_add(r[0], 1)",
    "atomic of halves": "func f(a: f16[4]) launch(grid=1, block=1)\n  atomic_add(a[0], 1.0f16)",
    "store to a table": f"table t: i32[2] = [1, 2]\n\n{ONE}t[0] = 1",
    "table length": f"table t: i32[3] = [1, 2]\n\n{ONE}pass",
    "task loop when lowered": f"level lowered\n\n{ONE}for i in repeat(4).on(0)\n    pass",
    "indices when lowered": f"level lowered\n\n{KERNEL}a[n, 0] = 1.0",
    "layout when lowered": f"level lowered\n\n{ONE}shared s: f32[4] @ row_major(4)",
    "layout of another shape": f"{ONE}shared s: f32[4, 4] @ row_major(16)",
    "kernel before the end": f"{KERNEL}pass\n\nfunc g()\n  pass",
    "two of a name": "func f()\n  pass\n\nfunc f()\n  pass",
    "tensor of a device function": "func f(a: f32[4]) -> f32\n  return a[0]",
    "extract": f"{ONE}let v: f32x4 = f32x4(1.0)\n  let x: f32 = v[4]",
    "pack": f"{ONE}let v: f32x4 = f32x4(1.0, 2.0)",
    "shared in a device function": "func f()\n  shared s: f32[4]",
}


def test_each_rule_has_its_message(golden: Callable[[str, str], None]) -> None:
    found: list[str] = []
    for what, source in BAD_TEXTS.items():
        module = parse(source)
        with pytest.raises(VerifyError) as caught:
            verify(module)
        assert caught.value.span is not None, what
        found.append(f"{what}\n{caught.value}\n")
    golden("verify_errors.txt", "\n".join(found))


LAUNCH = Launch((1, 1, 1), (1, 1, 1))


def kernel(*body: Stmt, params: tuple[Var, ...] = (), level: Level = Level.SCRIPT) -> Module:
    return Module((Function("f", params, Seq(body), LAUNCH),), (), level)


X, A = Var("x", i32), Var("a", f32[4])
ZERO = const(0)


def _by_hand() -> dict[str, Module]:
    """What the text form cannot even say."""
    constant = TensorType(f32, (4,), Scope.CONSTANT)
    return {
        "free variable": kernel(Declare(Var("y", i32), X)),
        "out of scope": kernel(Seq((Declare(X, ZERO),)), Assign(X, ZERO)),
        "used before": kernel(Assign(X, ZERO), Declare(X, ZERO)),
        "declared twice": kernel(Seq((Declare(X, ZERO),)), Seq((Declare(X, ZERO),))),
        "free tensor": kernel(Store(A, (ZERO,), const(1.0))),
        "unbound extent": kernel(params=(Var("a", f32[Dim("M")]),)),
        "extent 0": kernel(params=(Var("a", f32[0]),)),
        "no such function": kernel(Evaluate(Call("f", (), None))),
        "wrong result type": kernel(Declare(X, Binary(BinaryOp.LT, ZERO, ZERO, i32))),
        "load type": kernel(Declare(X, load(A, [0]).__class__(A, (ZERO,), i32)), params=(A,)),
        "number of its type": kernel(Declare(X, Const(2**31, i32))),
        "lanes of a cast": kernel(Declare(X, Cast(TRUE, i32.vector(3)))),
        "local tensor": kernel(Declare(A, None)),
        "allocated global": kernel(Allocate(A)),
        "allocated constant": kernel(Allocate(Var("a", constant))),
        "constant parameter": kernel(params=(Var("a", constant),)),
        "vector elements": kernel(params=(Var("a", TensorType(f16.vector(2), (4,))),)),
        "step no number": kernel(Declare(X, ZERO), For(Var("i", i32), ZERO, ZERO, X, Seq(()))),
        "cas without comparison": kernel(
            Evaluate(Atomic(AtomicOp.COMPARE_EXCHANGE, X, (ZERO,), ZERO, None, i32))
        ),
        "table of another kind": Module(
            (Function("f", (), Seq(()), LAUNCH),), (Table(Var("t", i32[2]), (1, 2)),)
        ),
        "name of an intrinsic": Module((Function("exp", (), Seq(())),)),
        "no function": Module(()),
    }


@pytest.mark.parametrize("what", _by_hand())
def test_what_text_cannot_say_is_refused_too(what: str, golden: Callable[..., None]) -> None:
    with pytest.raises(VerifyError) as caught:
        verify(_by_hand()[what])
    assert caught.value.message == MESSAGES[what]


MESSAGES = {
    "free variable": "x is used where it is not declared",
    "out of scope": "x is assigned where it is not declared",
    "used before": "x is assigned where it is not declared",
    "declared twice": "x is declared more than once",
    "free tensor": "a is used where it is not declared",
    "unbound extent": "extent M of a is not bound to a number",
    "extent 0": "extent 0 of a is below 1",
    "no such function": "f is no intrinsic and no function before this one",
    "wrong result type": "Binary has type i32, it gives bool",
    "load type": "Load has type i32, it gives f32",
    "number of its type": "2147483648 is no i32",
    "lanes of a cast": "bool cannot become i32x3",
    "local tensor": "a is declared as a local, but is f32[4]",
    "allocated global": "a is f32[4]; only shared and register tensors are allocated",
    "allocated constant": ("a is constant f32[4]; only shared and register tensors are allocated"),
    "constant parameter": "parameter a is a constant tensor, not a global one",
    "vector elements": "a has elements of type f16x2; elements have one lane",
    "step no number": "the step of i is no number other than 0",
    "cas without comparison": "x is i32, no tensor",
    "table of another kind": "table t is no constant tensor but i32[2]",
    "name of an intrinsic": "'exp' cannot be the name of a function",
    "no function": "a module needs at least one function",
}
