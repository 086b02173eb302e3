"""Simplify and prove: integer ranges, sums, and digits of sums.

Nothing is rewritten that could wrap around where the original does not, or the other way round:
a sum is put in order only where all its parts are proved to fit in its type.
"""

from __future__ import annotations

from workbench.ir.arith_rules import NEGATED, WHERE, Engine, Value, cost, final
from workbench.ir.expr import COMPARISONS, Binary, BinaryOp, Const, Expr, Unary, UnaryOp, Var
from workbench.ir.facts import Facts
from workbench.ir.linear import Form, Range, span, total
from workbench.ir.traverse import fold, walk


def simplify(expr: Expr, facts: Facts) -> Expr:
    """An expression of the same value that is no longer, the same object where nothing is won.

    Examples
    --------
    >>> from workbench.ir.text import text
    >>> from workbench.ir.build import add, floordiv, floormod, mul
    >>> from workbench.ir.expr import Builtin
    >>> w = Builtin("threadIdx.x")
    >>> r = Var("r", w.type)
    >>> facts = Facts({"threadIdx.x": Range(0, 127), r: Range(0, 3)}, loops=frozenset({r}))
    >>> row = add(mul(r, 16), floordiv(w, 8))
    >>> text(simplify(add(mul(row, 8), floormod(w, 8)), facts))
    'threadIdx.x + r * 128'
    """
    kept = _run(expr, facts, expand=False)
    if not facts.forms or isinstance(kept, Const | Var):
        return kept
    expanded = _run(kept, facts, expand=True)
    won = cost(kept) - cost(expanded) or _defined(kept, facts) - _defined(expanded, facts)
    return expanded if won > 0 else kept


def _defined(expr: Expr, facts: Facts) -> int:
    """How often an expression reads a variable whose definition is known."""
    return sum(1 for node in walk(expr) if isinstance(node, Var) and node in facts.forms)


def form_of(expr: Expr, facts: Facts, *, expand: bool = True) -> Form | None:
    """The sum that an integer scalar is."""
    return _fold(expr, facts, expand).form


def range_of(expr: Expr, facts: Facts) -> Range:
    """Where the value of an integer scalar lies.

    Examples
    --------
    >>> from workbench.ir.build import add
    >>> from workbench.ir.expr import Builtin
    >>> range_of(add(Builtin("threadIdx.x"), 1), Facts({"threadIdx.x": Range(0, 127)}))
    Range(lo=1, hi=128)
    """
    form = form_of(expr, facts)
    assert form is not None, f"{expr.type} is no integer"
    kept = form_of(expr, facts, expand=False)
    assert kept is not None
    return span(form, facts.limits).meet(span(kept, facts.limits))


def prove(cond: Expr, facts: Facts) -> bool | None:
    """Whether `cond` always holds, never holds, or (None) is not known.

    Examples
    --------
    >>> from workbench.ir.build import less
    >>> from workbench.ir.expr import Builtin
    >>> w, facts = Builtin("threadIdx.x"), Facts({"threadIdx.x": Range(0, 127)})
    >>> prove(less(w, 128), facts), prove(less(w, 8), facts)
    (True, None)
    """
    found = simplify(cond, facts)
    return bool(found.value) if isinstance(found, Const) else None


def assume(facts: Facts, cond: Expr, *, holds: bool = True) -> Facts:
    """The facts where `cond` holds, or where it does not."""
    match cond:
        case Unary(op=UnaryOp.NOT):
            return assume(facts, cond.a, holds=not holds)
        case Binary(op=BinaryOp.AND) if holds:
            return assume(assume(facts, cond.a), cond.b)
        case Binary(op=BinaryOp.OR) if not holds:
            return assume(assume(facts, cond.a, holds=False), cond.b, holds=False)
        case Binary() if cond.op in COMPARISONS:
            for expand in (False, True) if facts.forms else (False,):
                facts = _compared(facts, cond, holds, expand)
            return facts
        case _:
            return facts


def _compared(facts: Facts, cond: Binary, holds: bool, expand: bool) -> Facts:
    """The facts where a comparison of integers that never change holds."""
    a, b = form_of(cond.a, facts, expand=expand), form_of(cond.b, facts, expand=expand)
    where = WHERE.get(cond.op if holds else NEGATED[cond.op])
    if a is None or b is None or where is None:
        return facts
    difference = total(((a, 1), (b, -1)))
    if not difference.stable or not difference.terms:
        return facts
    offset = Range(-difference.const, -difference.const)
    return facts.narrowed(difference, where.plus(offset))


def _run(expr: Expr, facts: Facts, *, expand: bool) -> Expr:
    return final(_fold(expr, facts, expand), facts)


def _fold(expr: Expr, facts: Facts, expand: bool) -> Value:
    engine = Engine(facts, expand)
    return fold(expr, engine.rule)
