"""What is known of integers at a place of a function: ranges, limits of sums, definitions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from workbench.ir.expr import Var, value_type
from workbench.ir.linear import Atom, Form, Limits, Range, of_atom, span
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Assign
from workbench.ir.traverse import walk

FAR = 2**80
"""Beyond every integer type: an open end of a range."""

BLOCK, VARIABLE, THREAD, LOOP = range(4)
"""Where a reader expects a term in a sum."""

_UNLAUNCHED = Launch((2**31 - 1, 65535, 65535), (1024, 1024, 64))


@dataclass(frozen=True)
class Facts:
    """What holds at a place; made by `of_function`, refined by `arith.assume` and the methods.

    Attributes
    ----------
    ranges : mapping
        Of variables and of builtins by name.
    limits : tuple
        Known ranges of sums.
    forms : mapping of Var to Form
        Definitions of locals that never change, in terms that never change.
    changing : frozenset of Var
        Variables that are assigned somewhere.
    loops : frozenset of Var
        Loop variables in scope.
    """

    ranges: Mapping[Hashable, Range] = field(default_factory=dict)
    limits: Limits = ()
    forms: Mapping[Var, Form] = field(default_factory=dict)
    changing: frozenset[Var] = frozenset()
    loops: frozenset[Var] = frozenset()

    def variable(self, var: Var, *, expand: bool) -> Form:
        """The form of an integer variable, its definition if `expand`."""
        if expand and var in self.forms:
            return self._now(self.forms[var])
        kind = value_type(var)
        lies = Range(*kind.bounds)
        stable = var not in self.changing
        if stable:
            lies = lies.meet(self.ranges.get(var, lies))
        place = LOOP if var in self.loops else VARIABLE
        return _known(Atom(var, var, lies, place, stable))

    def _now(self, form: Form) -> Form:
        """A form with the ranges of its variables as they are known here."""
        terms = (
            (replace(a, range=a.range.meet(self.ranges[a.key])) if a.key in self.ranges else a, k)
            for a, k in form.terms
        )
        return Form(tuple(terms), form.const)

    def builtin(self, node: object, name: str) -> Form:
        """The form of a launch coordinate."""
        lies = self.ranges.get(name, Range(0, 2**31 - 1))
        place = THREAD if name.startswith("threadIdx") else BLOCK
        return _known(Atom(name, node, lies, place))  # pyright: ignore[reportArgumentType]

    def bound(self, var: Var, lies: Range, *, loop: bool = False) -> Facts:
        """The facts where `var` lies in a range; `loop` says that it is a loop variable."""
        loops = self.loops | {var} if loop else self.loops
        return replace(self, ranges={**self.ranges, var: lies}, loops=loops)

    def defined(self, var: Var, form: Form) -> Facts:
        """The facts after ``let var = form``, where the form never changes."""
        forms = {**self.forms, var: form}
        return replace(self, forms=forms, ranges={**self.ranges, var: span(form, self.limits)})

    def narrowed(self, form: Form, lies: Range) -> Facts:
        """The facts where the terms of `form`, without its constant, lie in a range."""
        if len(form.terms) == 1 and form.terms[0][1] in (1, -1):
            atom, coef = form.terms[0]
            if isinstance(atom.key, Var | str):
                met = self.ranges.get(atom.key, atom.range).meet(lies.times(coef))
                return replace(self, ranges={**self.ranges, atom.key: met})
        return replace(self, limits=((form.varying, lies), *self.limits))


def _known(atom: Atom) -> Form:
    """The form of an atom; a constant where it has one value only."""
    return Form((), atom.range.lo) if atom.range.lo == atom.range.hi else of_atom(atom)


def of_function(function: Function, module: Module | None = None) -> Facts:
    """The facts at the start of a function: its launch, and the numbers of the module's tables.

    Examples
    --------
    >>> from workbench.ir.stmt import Seq
    >>> kernel = Function("f", (), Seq(()), Launch((4, 1, 1), (128, 1, 1)))
    >>> of_function(kernel).ranges["threadIdx.x"], of_function(kernel).ranges["blockDim.x"]
    (Range(lo=0, hi=127), Range(lo=128, hi=128))
    """
    launch = function.launch or _UNLAUNCHED
    least = 1 if function.launch is None else 0
    ranges: dict[Hashable, Range] = {}
    for index, extent, sizes in (
        ("threadIdx", "blockDim", launch.block),
        ("blockIdx", "gridDim", launch.grid),
    ):
        for axis, size in zip("xyz", sizes, strict=True):
            ranges[f"{index}.{axis}"] = Range(0, size - 1)
            ranges[f"{extent}.{axis}"] = Range(least or size, size)
    for table in module.tables if module else ():
        if table.var.tensor.dtype.is_int:
            values = tuple(map(int, table.values))
            ranges[("table", table.var)] = Range(min(values), max(values))
    changing = frozenset(n.var for n in walk(function.body) if isinstance(n, Assign))
    return Facts(ranges, changing=changing)
