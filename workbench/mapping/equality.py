"""The canonical form of a mapping, and whether two mappings are the same.

Every primitive is a product of one-dimensional atoms. Atoms of one kind keep their order (it is
the order of the workers, or of the tasks), atoms on one dim keep theirs (it is the order of the
strides); a `repeat` and a `spatial` on different dims may change places, and neighbours of one
kind on one dim are one atom. Once nothing more can merge, the sequence of extents, dims and
strides of either kind can be read off the function: the fastest atom's stride is f(1), its extent
is where f stops being a multiple of it, and so on. So two compositions are the same function
exactly when their merged sequences are equal, and no task need be enumerated. Dims that a
projection forces to 0 are atoms of stride 0, for which the same holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.base.errors import MappingError
from workbench.base.lazy import lazy
from workbench.mapping.check import ENTRY_LIMIT, counted
from workbench.mapping.factor import (
    Factor,
    Factors,
    Kind,
    Primitive,
    Projection,
    most_tasks,
    shape_of,
    text_of,
    workers_of,
)
from workbench.mapping.lower import nest_of
from workbench.mapping.nest import NO_DIM, Digit, Nest
from workbench.mapping.table import ABSENT, table_of

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

CHUNK = 2**20
"""Numbers of a table that are compared at a time."""

Task = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two mappings are the same, and if not, where they differ first.

    Attributes
    ----------
    same : bool
        The answer; also the truth value of the whole.
    words : str
        The answer in a sentence.
    worker, position : int or None
        The first worker whose lists differ, and the first place in them; None where the mappings
        differ as a whole (domain, number of workers) or are the same.
    left, right : tuple of int or None
        The two tasks there; None for a list that has ended.
    """

    same: bool
    words: str
    worker: int | None = None
    position: int | None = None
    left: Task | None = None
    right: Task | None = None

    def __bool__(self) -> bool:
        return self.same

    def __str__(self) -> str:
        return self.words

    def __repr__(self) -> str:
        return f"{self.same}: {self.words}"


@dataclass(frozen=True, slots=True)
class _Atom:
    """A one-dimensional `repeat` or `spatial`; stride 0 when its dim is projected away."""

    kind: Kind
    extent: int
    dim: int = NO_DIM
    stride: int = 0


def canonical_of(factors: Factors) -> Factors | None:
    """The one way to write this function; None where no composition is this function.

    Parameters
    ----------
    factors : tuple of Factor
        The mapping, outermost first.
    """
    nest = nest_of(factors, attrs=False)
    terms = [term for terms in nest.index for term in terms]
    if nest.guards or not all(isinstance(term, Digit) for term in terms):
        return None
    repeats, spatials = _loop_atoms(nest), _worker_atoms(nest, workers_of(factors))
    if repeats is None or spatials is None or not _fills([*repeats, *spatials], shape_of(factors)):
        return None
    return _write(repeats, spatials, len(nest.index))


def _fills(atoms: list[_Atom], shape: tuple[int, ...]) -> bool:
    """Whether the strides are those of a composition; a user's function may have others."""
    reached = [1] * len(shape)
    for atom in sorted(atoms, key=lambda atom: atom.stride):
        if atom.stride:
            if atom.stride != reached[atom.dim]:
                return False
            reached[atom.dim] *= atom.extent
    return tuple(reached) == shape


def _loop_atoms(nest: Nest) -> list[_Atom] | None:
    """One atom per loop; None where a loop runs never, or along several dims at once."""
    atoms: list[_Atom] = []
    for number, loop in enumerate(nest.loops):
        along = [
            (dim, term.coef)
            for dim, terms in enumerate(nest.index)
            for term in terms
            if isinstance(term, Digit) and term.source == number
        ]
        if loop.extent == 0 or len(along) > 1:
            return None
        atoms.append(_Atom("repeat", loop.extent, *(along[0] if along else ())))
    return atoms


def _worker_atoms(nest: Nest, workers: int) -> list[_Atom] | None:
    """One atom per digit of the worker; None where digits of different dims overlap."""
    digits = [
        (term.div, term.mod or workers // term.div, dim, term.coef)
        for dim, terms in enumerate(nest.index)
        for term in terms
        if isinstance(term, Digit) and term.source < 0
    ]
    atoms: list[_Atom] = []
    reached = 1
    for div, extent, dim, coef in sorted(digits):
        if div % reached:
            return None
        if div > reached:
            atoms.append(_Atom("spatial", div // reached))
        atoms.append(_Atom("spatial", extent, dim, coef))
        reached = div * extent
    if workers > reached:
        atoms.append(_Atom("spatial", workers // reached))
    return atoms[::-1]


def _write(repeats: list[_Atom], spatials: list[_Atom], rank: int) -> Factors:
    """Atoms as primitives: repeats as long as one may come next, then spatials, and so on."""
    queues, turn = [repeats, spatials], 0
    factors: list[Factor] = []
    while any(queues):
        run: list[_Atom] = []
        while queues[turn] and _ready(queues[turn][0], queues[1 - turn]):
            atom = queues[turn].pop(0)
            if not atom.stride or atom.dim in {other.dim for other in run}:
                factors += _primitive(run, rank)
                run = []
            if atom.stride:
                run.append(atom)
            else:
                factors.append(_gone(atom, rank))
        factors += _primitive(run, rank)
        turn = 1 - turn
    return tuple(factors) or (_grid("repeat", (1,) * rank, tuple(range(rank))),)


def _ready(atom: _Atom, others: list[_Atom]) -> bool:
    """Whether no atom of the other kind must come before."""
    return all(atom.stride == 0 or o.dim != atom.dim or o.stride < atom.stride for o in others)


def _gone(atom: _Atom, rank: int) -> Factor:
    shape = (atom.extent, *(1,) * (rank - 1))
    return Projection((_grid(atom.kind, shape, tuple(range(rank))),), (0,))


def _primitive(run: list[_Atom], rank: int) -> list[Factor]:
    if not run:
        return []
    dims = [atom.dim for atom in run]
    order = [*(dim for dim in range(rank) if dim not in dims), *dims]
    if dims == sorted(dims):
        order.sort()
    elif dims == sorted(dims, reverse=True):
        order.sort(reverse=True)
    extents = {atom.dim: atom.extent for atom in run}
    shape = tuple(extents.get(dim, 1) for dim in range(rank))
    return [_grid(run[0].kind, shape, tuple(order.index(dim) for dim in range(rank)))]


def _grid(kind: Kind, shape: tuple[int, ...], ranks: tuple[int, ...]) -> Primitive:
    return Primitive(kind, shape, ranks, (None,) * len(shape))


def compare(left: Factors, right: Factors) -> Comparison:
    """Whether two mappings give every worker the same tasks in the same order.

    Decided by canonical forms where both have one, else by their tables.

    Raises
    ------
    MappingError
        Tables would be needed, and are too large.
    """
    shapes = shape_of(left), shape_of(right)
    if shapes[0] != shapes[1]:
        return Comparison(False, f"the domains differ: {shapes[0]} and {shapes[1]}")
    workers = workers_of(left), workers_of(right)
    if workers[0] != workers[1]:
        return Comparison(
            False, f"{counted(workers[0], 'worker')} and {counted(workers[1], 'worker')}"
        )
    if left == right:
        return Comparison(True, f"the same mapping: both are {text_of(left)}")
    forms = canonical_of(left), canonical_of(right)
    known = forms[0] is not None and forms[1] is not None
    if known and forms[0] == forms[1]:
        assert forms[0] is not None
        return Comparison(True, f"the same mapping: both are {text_of(forms[0])}")
    found = _search(left, right)
    if found is not None:
        return found
    if _searchable(left, right) == workers[0]:
        assert not known
        return Comparison(True, "the same mapping: every worker has the same tasks in order")
    if known:
        return Comparison(False, "different mappings; too large to name the first difference")
    raise MappingError(
        f"{text_of(left)} and {text_of(right)} are too large to compare: "
        f"{counted(workers[0], 'worker')} with up to "
        f"{counted(max(most_tasks(left), most_tasks(right)), 'task')} each",
        hint="compositions of repeat and spatial are compared without enumerating",
    )


def _searchable(left: Factors, right: Factors) -> int:
    """How many workers may be enumerated."""
    row = max(most_tasks(left), most_tasks(right), 1) * len(shape_of(left))
    return min(workers_of(left), ENTRY_LIMIT // row)


def _search(left: Factors, right: Factors) -> Comparison | None:
    """The first difference among the workers that may be enumerated."""
    row = max(most_tasks(left), most_tasks(right), 1) * len(shape_of(left))
    step = max(1, CHUNK // row)
    end = _searchable(left, right)
    for start in range(0, end, step):
        chunk = np.arange(start, min(start + step, end), dtype=np.int64)
        a, b = table_of(left, chunk), table_of(right, chunk)
        count = max(a.shape[1], b.shape[1])
        a, b = (
            np.pad(t, ((0, 0), (0, count - t.shape[1]), (0, 0)), constant_values=ABSENT)
            for t in (a, b)
        )
        differ = (a != b).any(axis=2)
        if differ.any():
            at = int(np.argmax(differ.any(axis=1)))
            position = int(np.argmax(differ[at]))
            return _difference(start + at, position, a[at, position], b[at, position])
    return None


def _difference(
    worker: int,
    position: int,
    left: np.typing.NDArray[np.signedinteger],
    right: np.typing.NDArray[np.signedinteger],
) -> Comparison:
    tasks = [None if row[0] == ABSENT else tuple(int(x) for x in row) for row in (left, right)]
    texts = ["no further task" if task is None else str(task) for task in tasks]
    words = f"worker {worker} differs at position {position}: {texts[0]} against {texts[1]}"
    return Comparison(False, words, worker, position, tasks[0], tasks[1])
