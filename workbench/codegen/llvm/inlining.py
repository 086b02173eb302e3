"""Device functions that wait at a barrier, written out where they are called.

Fission cuts a kernel at its barriers, so each must stand as a statement of the kernel. A call that
is part of an expression moves before its statement; what is evaluated before it and looks at
memory moves along, in the order of evaluation: operands from the left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar, cast

from workbench.base.errors import CodegenError
from workbench.codegen.llvm.fission import is_barrier
from workbench.ir.build import unary
from workbench.ir.expr import TRUE, Atomic, Call, Expr, Load, Select, UnaryOp, Var
from workbench.ir.intrinsic import INTRINSICS
from workbench.ir.module import Function, Module
from workbench.ir.node import Node
from workbench.ir.stmt import Assign, Break, Declare, Evaluate, For, If, Return, Seq, Stmt, While
from workbench.ir.traverse import binders, children, fold, rewrite, walk
from workbench.ir.types import DType, Scope

N = TypeVar("N", bound=Node)
_HINT = "give the result to a variable, and return it as the last statement"


def inline_barriers(module: Module, numbers: dict[Node, int]) -> Module:
    """`module` with a barrier in no function but the kernel.

    Parameters
    ----------
    module : Module
        Verified.
    numbers : dict of Node to int
        Numbers of statements, from `ir.text.number`; new statements get that of the one they
        stand for.

    Raises
    ------
    CodegenError
        When such a function returns out of a loop, or on one of several ways on.
    """
    if len(module.functions) == 1:
        return module
    waiting: dict[str, Function] = {}
    done: list[Function] = []
    for function in module.functions:
        writer = _Writer(waiting, numbers)
        writer.look(function.body)
        body = writer.one(function.body)
        if function is not module.kernel and any(map(is_barrier, walk(body))):
            ends = Seq(tuple(_ending((body,), numbers, function)))
            waiting[function.name] = replace(function, body=ends)
        else:
            kept = function if body is function.body else replace(function, body=body)
            numbers.setdefault(kept, numbers.get(function, 0))
            done.append(kept)
    return replace(module, functions=tuple(done)) if waiting else module


def _always(stmt: Stmt | None) -> bool:
    match stmt:
        case Return():
            return True
        case Seq():
            return any(map(_always, stmt.body))
        case If():
            return _always(stmt.then) and _always(stmt.orelse)
        case _:
            return False


def _returns(stmt: Stmt) -> Return | None:
    return next((n for n in walk(stmt) if isinstance(n, Return)), None)


def _ending(body: Sequence[Stmt], numbers: dict[Node, int], function: Function) -> Iterator[Stmt]:
    """The same statements, so put that nothing follows a return."""
    for i, stmt in enumerate(body):
        found = _returns(stmt)
        if found is None:
            yield stmt
            continue
        rest = body[i + 1 :]
        match stmt:
            case Return():
                yield stmt
            case Seq():
                yield from _ending((*stmt.body, *rest), numbers, function)
            case If() if not rest or _always(stmt.then) or _always(stmt.orelse):
                after = [() if _always(s) else rest for s in (stmt.then, stmt.orelse)]
                then = _ending((stmt.then, *after[0]), numbers, function)
                other = () if stmt.orelse is None else (stmt.orelse,)
                orelse = _ending((*other, *after[1]), numbers, function)
                new = replace(stmt, then=Seq(tuple(then)), orelse=Seq(tuple(orelse)))
                numbers[new] = numbers.get(stmt, 0)
                yield new
            case _:
                raise CodegenError(
                    f"{function.name} contains syncthreads, and on the CPU such a function "
                    "returns only at its end",
                    span=found.span or stmt.span,
                    hint=_HINT,
                )
        return


@dataclass
class _Writer:
    """One function while calls in it are written out."""

    waiting: Mapping[str, Function]
    numbers: dict[Node, int]
    above: dict[Node, bool] = field(default_factory=dict)

    def look(self, root: Stmt) -> None:
        """Find the nodes with a call to write out."""
        if self.waiting:
            fold(root, lambda n, below: any(below) or self.calls(n), self.above)

    def calls(self, node: Node) -> bool:
        """Whether this is a call to write out."""
        return isinstance(node, Call) and node.function in self.waiting

    def one(self, stmt: Stmt) -> Stmt:
        """A statement as one."""
        found = list(self.statement(stmt))
        return found[0] if len(found) == 1 else Seq(tuple(found), span=stmt.span)

    def statement(self, stmt: Stmt) -> Iterator[Stmt]:
        """A statement, behind what moved out of it."""
        if not self.above.get(stmt):
            yield stmt
            return
        if isinstance(stmt, Seq):
            body = tuple(new for each in stmt.body for new in self.statement(each))
            yield replace(stmt, body=body)
            return
        before: list[Stmt] = []
        new = self._rest(stmt, before)
        for each in (*before, new) if new is not None else before:
            self.numbers.setdefault(each, self.numbers.get(stmt, 0))
            yield each

    def _rest(self, stmt: Stmt, before: list[Stmt]) -> Stmt | None:
        """What is left of a statement; its first part goes to `before`."""
        match stmt:
            case While():
                return self._while(stmt)
            case For():
                start, stop = self._values((stmt.start, stmt.stop), before)
                return replace(stmt, start=start, stop=stop, body=self.one(stmt.body))
            case If():
                cond = self._value(stmt.cond, before)
                orelse = None if stmt.orelse is None else self.one(stmt.orelse)
                return replace(stmt, cond=cond, then=self.one(stmt.then), orelse=orelse)
            case Evaluate() if self.calls(stmt.value):
                assert isinstance(stmt.value, Call)
                self._call(stmt.value, before)
                return None
            case _:
                return self._with_operands(stmt, before)

    def _while(self, stmt: While) -> Stmt:
        """The condition at the head of each turn, where `continue` comes to as well."""
        before: list[Stmt] = []
        cond = self._value(stmt.cond, before)
        leave = If(unary(UnaryOp.NOT, cond), Break(span=stmt.span), span=stmt.span)
        body = Seq((*before, leave, self.one(stmt.body)), span=stmt.span)
        return replace(stmt, cond=TRUE, body=body)

    def _with_operands(self, node: N, before: list[Stmt]) -> N:
        operands = cast("list[Expr]", list(children(node)))
        if isinstance(node, Atomic) and node.compare is not None:
            # the comparison is a later field, and evaluated earlier
            *index, value, compare = operands
            *found, first, last = self._values([*index, compare, value], before)
            return _with(node, [*found, last, first])
        return _with(node, self._values(operands, before))

    def _values(self, operands: Sequence[Expr], before: list[Stmt]) -> list[Expr]:
        """Values of operands, in order: what comes before a call is looked up before it."""
        last = max((i for i, x in enumerate(operands) if self.above.get(x)), default=-1)
        found: list[Expr] = []
        for i, each in enumerate(operands):
            value = self._value(each, before)
            found.append(value if i >= last or _steady(value) else _let("before", value, before))
        return found

    def _value(self, expr: Expr, before: list[Stmt]) -> Expr:
        if not self.above.get(expr):
            return expr
        if isinstance(expr, Select):
            assert isinstance(expr.cond.type, DType)
            if expr.cond.type.lanes == 1 and (self.above[expr.a] or self.above[expr.b]):
                return self._select(expr, before)
        if self.calls(expr):
            assert isinstance(expr, Call)
            value = self._call(expr, before)
            assert value is not None, f"{expr.function} has no value"
            return value
        return self._with_operands(expr, before)

    def _select(self, expr: Select, before: list[Stmt]) -> Var:
        """Only the branch that is taken is evaluated."""
        cond = self._value(expr.cond, before)
        chosen = Var("chosen", expr.type)
        branches: list[Stmt] = []
        for each in (expr.a, expr.b):
            own: list[Stmt] = []
            value = self._value(each, own)
            branches.append(Seq((*own, Assign(chosen, value, span=expr.span)), span=expr.span))
        before.append(Declare(chosen, None, span=expr.span))
        before.append(If(cond, *branches, span=expr.span))
        return chosen

    def _call(self, call: Call, before: list[Stmt]) -> Var | None:
        """A function written out; gives the variable with its result."""
        function = self.waiting[call.function]
        args = self._values(call.args, before)
        own = [v for n in walk(function.body) for v in binders(n)]
        fresh = {v: Var(v.name, v.type, span=v.span) for v in (*function.params, *own)}
        for param, arg in zip(function.params, args, strict=True):
            before.append(Declare(fresh[param], arg, span=call.span))
        result = None if function.result is None else Var(function.name, function.result)
        body = self._renamed(function.body, fresh, result)
        assert isinstance(body, Seq)
        if result is not None:
            before.append(Declare(result, None, span=call.span))
        before.extend(body.body)
        return result

    def _renamed(self, body: Stmt, fresh: Mapping[Var, Var], result: Var | None) -> Stmt:
        def rule(node: Node) -> Node | None:
            match node:
                case Var():
                    return fresh.get(node)
                case Return() if node.value is not None and result is not None:
                    return Assign(result, node.value, span=node.span)
                case Return():
                    return Seq((), span=node.span)
                case _:
                    return None

        new = rewrite(body, rule, fresh)
        for old, each in zip(walk(body), walk(new), strict=True):
            if old in self.numbers:
                self.numbers.setdefault(each, self.numbers[old])
        return new


def _with(node: N, values: Sequence[Expr]) -> N:
    """`node` with other operands, in the order of its fields."""
    rest = iter(values)
    changes: dict[str, object] = {}
    for each in fields(node):
        old = getattr(node, each.name)
        if each.metadata.get("ref"):
            continue
        if isinstance(old, Node):
            changes[each.name] = next(rest)
        elif isinstance(old, tuple) and any(isinstance(x, Node) for x in old):
            changes[each.name] = tuple(next(rest) for _ in old)
    return replace(node, **changes)


def _let(name: str, value: Expr, before: list[Stmt]) -> Var:
    assert isinstance(value.type, DType)
    var = Var(name, value.type)
    before.append(Declare(var, value, span=value.span))
    return var


def _steady(expr: Expr) -> bool:
    """Whether it is the same before a barrier and after it, and makes nothing happen."""
    for node in walk(expr):
        match node:
            case Load():
                if node.tensor.tensor.scope not in (Scope.REGISTER, Scope.CONSTANT):
                    return False
            case Atomic():
                return False
            case Call():
                row = INTRINSICS.get(node.function)
                if row is None or not row.pure:
                    return False
            case _:
                pass
    return True
