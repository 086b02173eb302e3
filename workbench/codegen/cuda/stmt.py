"""Statements in CUDA C++, one row each where possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workbench.base.span import Span
from workbench.codegen.clike import C, Rows
from workbench.codegen.cuda.expr import Expressions
from workbench.codegen.cuda.memory import SharedPlan
from workbench.codegen.cuda.scalar import binary, settle
from workbench.codegen.cuda.types import c_type
from workbench.ir.expr import Atomic, Binary, BinaryOp, Call, Const, Expr, Load, Var, value_type
from workbench.ir.node import Node
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
from workbench.ir.traverse import walk
from workbench.ir.types import DType, Scope

DYNAMIC = "shared_memory"
"""Name of the shared memory that a launch adds."""

_AUGMENTED = {
    BinaryOp.ADD: "+",
    BinaryOp.SUB: "-",
    BinaryOp.MUL: "*",
    BinaryOp.DIV: "/",
    BinaryOp.BITAND: "&",
    BinaryOp.BITOR: "|",
    BinaryOp.BITXOR: "^",
}


@dataclass
class Statements:
    """Writes the statements of one function.

    Parameters
    ----------
    rows : Rows
        Where they go.
    expr : Expressions
        Turns expressions into C.
    numbers : mapping of Node to int
        Of the statements, for links between texts.
    home : Span or None
        Of the function; a row says its line, and its file where it is another one.
    assigned : frozenset of Var
        Locals that change after their declaration.
    aligned : mapping of Var to int
        Alignment that tensors need beyond that of their elements [byte].
    plan : SharedPlan
        Where shared tensors lie.
    show_notes : bool
        Whether the loops' notes are shown.
    """

    rows: Rows
    expr: Expressions
    numbers: Mapping[Node, int]
    home: Span | None
    assigned: frozenset[Var]
    aligned: Mapping[Var, int]
    plan: SharedPlan
    show_notes: bool = False
    _last: str = field(default="", init=False)

    def body(self, stmt: Stmt | None) -> None:
        """A statement, or those of a Seq."""
        if stmt is None:
            return
        for each in stmt.body if isinstance(stmt, Seq) else (stmt,):
            self._statement(each)

    def _statement(self, stmt: Stmt) -> None:
        match stmt:
            case Seq():
                self.body(stmt)
            case For():
                self._for(stmt)
            case While():
                text = f"while ({self.expr(stmt.cond).text}) {{"
                self._row(text, stmt, self._place(stmt))
                self._block(stmt.body)
                self.rows.add("}")
            case If():
                self._if(stmt)
            case ForTask():
                raise AssertionError("lowered IR has no task loops")
            case _:
                self._row(self._simple(stmt), stmt, self._place(stmt))

    def _row(self, text: str, node: Node, comment: str) -> None:
        self.rows.add(text, node.span, self.numbers.get(node, 0), comment)

    def _block(self, body: Stmt | None) -> None:
        with self.rows.indent():
            self.body(body)

    def _place(self, node: Node) -> str:
        """``:7``, where the line is another one than that of the row above."""
        if node.span is None:
            return ""
        same_file = self.home is not None and self.home.file == node.span.file
        place = f"{'' if same_file else basename(node.span.file)}:{node.span.line}"
        if place == self._last:
            return ""
        self._last = place
        return place

    def _simple(self, stmt: Stmt) -> str:
        match stmt:
            case Declare():
                return self._declare(stmt)
            case Allocate():
                return self._allocate(stmt.var)
            case Assign():
                return f"{self._update(self.expr.names[stmt.var], stmt.value)};"
            case Store():
                lanes = _lanes(stmt.value)
                place = self.expr.element(stmt.tensor, stmt.index[0], lanes)
                return f"{self._update(place, stmt.value)};"
            case Evaluate():
                unused = "(void)" if isinstance(stmt.value, Load) else ""
                return f"{unused}{self.expr(stmt.value).text};"
            case Break():
                return "break;"
            case Continue():
                return "continue;"
            case Return():
                return "return;" if stmt.value is None else f"return {self.expr(stmt.value).text};"
            case _:
                raise AssertionError(f"{type(stmt).__name__} is no simple statement")

    def _declare(self, stmt: Declare) -> str:
        kind = value_type(stmt.var)
        head = f"{c_type(kind, self.expr.prelude)} {self.expr.names[stmt.var]}"
        if stmt.value is None:
            return f"{head};"
        value = self.expr(stmt.value)
        if stmt.var not in self.assigned and kind.is_int and kind.lanes == 1:
            self.expr.bounds[stmt.var] = (value.low, value.high)
        return f"{head} = {value.text};"

    def _allocate(self, var: Var) -> str:
        kind, name = var.tensor, self.expr.names[var]
        element = c_type(kind.dtype, self.expr.prelude)
        if kind.scope is Scope.SHARED and self.plan.dynamic:
            return f"{element}* {name} = ({element}*)&{DYNAMIC}[{self.plan.offsets[var]}];"
        need = self.aligned.get(var, 0)
        align = f"__align__({need}) " if need > kind.dtype.size_bytes else ""
        place = "__shared__ " if kind.scope is Scope.SHARED else ""
        return f"{place}{align}{element} {name}[{kind.size}];"

    def _update(self, target: str, value: Expr) -> str:
        """``target = value``, or ``target += b`` where `value` is ``target + b``."""
        whole = self.expr(value).text
        if isinstance(value, Binary) and value.op in _AUGMENTED:
            symbol = _AUGMENTED[value.op]
            start = f"{target} {symbol} "
            if self._reads(value.a) == target and whole.startswith(start):
                return f"{target} {symbol}= {_bare(whole[len(start) :])}"
        return f"{target} = {whole}"

    def _reads(self, value: Expr) -> str:
        if isinstance(value, Load):
            return self.expr.element(value.tensor, value.index[0], value.type.lanes)
        return self.expr.names[value] if isinstance(value, Var) else ""

    def _for(self, stmt: For) -> None:
        kind = value_type(stmt.var)
        assert isinstance(stmt.step, Const)
        step, prelude = int(stmt.step.value), self.expr.prelude
        start = self.expr(stmt.start)
        stop = self._stop(stmt, kind)
        bounds = (start.low, stop.high - 1) if step > 0 else (stop.low + 1, start.high)
        if stmt.var in self.assigned or bounds[0] > bounds[1]:
            bounds = kind.bounds
        self.expr.bounds[stmt.var] = bounds
        name = self.expr.names[stmt.var]
        counter = C(name, low=bounds[0], high=bounds[1])
        test = binary(BinaryOp.LT if step > 0 else BinaryOp.GT, counter, stop, kind, prelude)
        head = (
            f"for ({c_type(kind, prelude)} {name} = {start.text}; {test.text}; {_step(name, step)})"
        )
        if stmt.unroll is not None:
            self.rows.add("#pragma unroll" + (f" {stmt.unroll}" if stmt.unroll else ""))
        note = stmt.note if self.show_notes else ""
        comment = note if stmt.note else self._place(stmt)
        self._row(f"{head} {{", stmt, comment)
        self._block(stmt.body)
        self.rows.add("}")

    def _stop(self, stmt: For, kind: DType) -> C:
        """The end of a loop; held in a variable where the loop might change it."""
        stop = settle(self.expr(stmt.stop), kind, self.expr.prelude)
        changed = {n.var for n in walk(stmt.body) if isinstance(n, Assign)}
        if all(_steady(n, changed) for n in walk(stmt.stop)):
            return stop
        name = f"{self.expr.names[stmt.var]}_stop"
        while name in self.expr.names.values():
            name += "_"
        row = f"const {c_type(kind, self.expr.prelude)} {name} = {stop.text};"
        self._row(row, stmt, self._place(stmt))
        return C(name, low=stop.low, high=stop.high)

    def _if(self, stmt: If) -> None:
        self._row(f"if ({self.expr(stmt.cond).text}) {{", stmt, self._place(stmt))
        self._block(stmt.then)
        rest = _peel(stmt.orelse)
        while isinstance(rest, If):
            text = f"}} else if ({self.expr(rest.cond).text}) {{"
            self._row(text, rest, self._place(rest))
            self._block(rest.then)
            rest = _peel(rest.orelse)
        if rest is not None:
            self.rows.add("} else {", stmt.span, self.numbers.get(stmt, 0))
            self._block(rest)
        self.rows.add("}")


def basename(file: str) -> str:
    """The last part of a path; the name of a cell stays.

    Examples
    --------
    >>> basename("kernels/scale.py"), basename("In [7]")
    ('scale.py', 'In [7]')
    """
    return file.replace("\\", "/").rpartition("/")[2]


def assigned(root: Node) -> frozenset[Var]:
    """Locals that change after their declaration."""
    return frozenset(node.var for node in walk(root) if isinstance(node, Assign))


def loop_notes(root: Node) -> Iterable[str]:
    """The notes of all loops."""
    return (node.note for node in walk(root) if isinstance(node, For) and node.note)


def _steady(node: Node, changed: set[Var]) -> bool:
    if isinstance(node, Load | Atomic | Call):
        return False
    return not isinstance(node, Var) or node not in changed


def _step(name: str, step: int) -> str:
    if abs(step) == 1:
        return f"{'++' if step > 0 else '--'}{name}"
    return f"{name} {'+' if step > 0 else '-'}= {abs(step)}"


def _peel(stmt: Stmt | None) -> Stmt | None:
    while isinstance(stmt, Seq) and len(stmt.body) == 1:
        stmt = stmt.body[0]
    return stmt


def _bare(text: str) -> str:
    """`text` without the one pair of parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def _lanes(value: Expr) -> int:
    return value.type.lanes if isinstance(value.type, DType) else 1
