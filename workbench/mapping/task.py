"""TaskMapping: who does what, in which order.

Source: Ding et al., "Hidet: Task-Mapping Programming Paradigm for Deep Learning Tensor Programs",
ASPLOS 2023, section 4.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Self

from workbench.base.errors import MappingError
from workbench.base.lazy import lazy
from workbench.mapping.check import (
    DOMAIN_LIMIT,
    LIST_LIMIT,
    as_int,
    check_dims,
    check_size,
    counted,
)
from workbench.mapping.equality import Comparison, canonical_of, compare
from workbench.mapping.factor import (
    Factors,
    Primitive,
    Projection,
    most_tasks,
    shape_of,
    text_of,
    workers_of,
)
from workbench.mapping.lower import nest_of
from workbench.mapping.make import primitive, user_function
from workbench.mapping.table import check_entries, table_of
from workbench.mapping.walk import tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.mapping.make import Attrs
    from workbench.mapping.nest import Nest
else:
    np = lazy("numpy")

Task = tuple[int, ...]


class TaskMapping:
    """A function from a worker to the ordered list of its tasks.

    Immutable; equal when written by the same factors (:meth:`same_as` compares the functions).
    The constructor makes a mapping from any function; `spatial` and `repeat` make the
    primitives.

    Parameters
    ----------
    shape : sequence of int
        Extents of the domain.
    workers : int
        Number of workers; a worker is 0 … workers-1.
    function : callable
        From a worker to its tasks, tuples of ints inside the domain, in order. It is called once
        for each worker when the mapping is made.

    Attributes
    ----------
    factors : tuple of Factor
        What the mapping is composed of, outermost first.
    shape : tuple of int
        Extents of the domain.
    workers : int
        Number of workers.

    Raises
    ------
    MappingError
        Bad extents or workers, or a task that is outside the domain or has another rank.

    Examples
    --------
    >>> from workbench.mapping import repeat, spatial
    >>> mapping = repeat(4, 1) * spatial(16, 8)
    >>> mapping.shape, mapping.workers, mapping(127)
    ((64, 8), 128, [(15, 7), (31, 7), (47, 7), (63, 7)])
    >>> TaskMapping((4, 4), 4, lambda w: [(w, i) for i in range(w + 1)])(1)
    [(1, 0), (1, 1)]
    """

    __slots__ = ("factors", "shape", "workers")

    factors: Factors
    shape: tuple[int, ...]
    workers: int

    def __init__(
        self, shape: Sequence[int], workers: int, function: Callable[[int], Iterable[Task]]
    ) -> None:
        self._set((user_function(shape, workers, function),))

    @classmethod
    def of(cls, factors: Factors) -> Self:
        """The mapping composed of these factors, outermost first."""
        mapping = cls.__new__(cls)
        mapping._set(factors)
        return mapping

    def _set(self, factors: Factors) -> None:
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "shape", shape_of(factors))
        object.__setattr__(self, "workers", workers_of(factors))
        if max(prod(self.shape), self.workers) > DOMAIN_LIMIT:
            check_size(text_of(factors), "tasks", prod(self.shape))
            check_size(text_of(factors), "workers", self.workers)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a TaskMapping is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a TaskMapping is immutable: {name} cannot be deleted")

    def __reduce__(self) -> tuple[object, ...]:
        return (TaskMapping.of, (self.factors,))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskMapping) and self.factors == other.factors

    def __hash__(self) -> int:
        return hash(self.factors)

    def __str__(self) -> str:
        return text_of(self.factors)

    __repr__ = __str__

    @property
    def rank(self) -> int:
        """Number of dims."""
        return len(self.shape)

    @property
    def most_tasks(self) -> int:
        """Upper bound of the tasks of one worker; exact where there are no predicates."""
        return most_tasks(self.factors)

    def __call__(self, worker: int) -> list[Task]:
        """The tasks of a worker, in order.

        Parameters
        ----------
        worker : int
            From 0 to workers-1.

        Returns
        -------
        list of tuple of int

        Raises
        ------
        MappingError
            The worker is no int or not one of the mapping's, or has too many tasks for a list.
        """
        number = as_int(worker)
        if number is None:
            raise MappingError(f"{self}: worker {worker!r} is a {type(worker).__name__}, no int")
        if not 0 <= number < self.workers:
            raise MappingError(f"{self}: worker {number} is outside 0 … {self.workers - 1}")
        check_entries(self.factors, 1, LIST_LIMIT)
        return tasks_of(self.factors, number)

    def on(self, worker: int) -> Iterator[Task]:
        """Iterate over the tasks of a worker; inside a script, over those of the thread.

        Examples
        --------
        >>> from workbench.mapping import repeat
        >>> [task for task in repeat(2, 2).on(0)]
        [(0, 0), (0, 1), (1, 0), (1, 1)]
        """
        return iter(self(worker))

    def table(self, workers: Sequence[int] | None = None) -> NDArray[np.signedinteger]:
        """The tasks of all workers, or of some, as an array.

        Parameters
        ----------
        workers : sequence of int, optional
            Which workers; all when absent.

        Returns
        -------
        ndarray, shape [workers, tasks, rank]
            int32, or int64 when an extent is 2**30 or more. ``-1`` at the end of a row stands
            for tasks that this worker does not have and others do.

        Raises
        ------
        MappingError
            The array would have more than 2**27 numbers, or a worker is not the mapping's.

        Examples
        --------
        >>> from workbench.mapping import spatial
        >>> spatial(2, 2).table().tolist()
        [[[0, 0]], [[0, 1]], [[1, 0]], [[1, 1]]]
        """
        if workers is None:
            return table_of(self.factors)
        chosen = np.asarray(workers)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise MappingError(f"{self}: {workers!r} is no list of workers")
        outside = chosen[(chosen < 0) | (chosen >= self.workers)]
        if outside.size:
            raise MappingError(f"{self}: worker {outside[0]} is outside 0 … {self.workers - 1}")
        return table_of(self.factors, chosen.astype(np.int64))

    def __mul__(self, other: TaskMapping) -> TaskMapping:
        """Compose: `self` gives out tiles of the shape of `other`, which gives out their tasks.

        Raises
        ------
        MappingError
            The ranks do not match.
        """
        if not isinstance(other, TaskMapping):
            return NotImplemented
        if self.rank != other.rank:
            raise MappingError(
                f"{self} has {counted(self.rank, 'dim')} and {other} has {other.rank}: "
                "only mappings of one rank compose",
                hint=f"give both {max(self.rank, other.rank)} extents, 1 where a dim is not split",
            )
        return TaskMapping.of(self.factors + other.factors)

    def spatial(self, *shape: int, ranks: Sequence[int] | None = None) -> TaskMapping:
        """``self * spatial(…)``."""
        return self._times(primitive("spatial", shape, ranks))

    def repeat(
        self, *shape: int, ranks: Sequence[int] | None = None, attrs: Attrs = None
    ) -> TaskMapping:
        """``self * repeat(…)``."""
        return self._times(primitive("repeat", shape, ranks, attrs))

    def column_spatial(self, *shape: int) -> TaskMapping:
        """``self * column_spatial(…)``."""
        return self._times(primitive("spatial", shape, column=True))

    def column_repeat(self, *shape: int, attrs: Attrs = None) -> TaskMapping:
        """``self * column_repeat(…)``."""
        return self._times(primitive("repeat", shape, attrs=attrs, column=True))

    def _times(self, factor: Primitive) -> TaskMapping:
        return self * TaskMapping.of((factor,))

    def projection(self, dims: dict[int, int]) -> TaskMapping:
        """Force the given dims to 0 and their extent to 1; duplicate tasks stay.

        Parameters
        ----------
        dims : dict of int to int
            Such as ``{1: 0}``; the only place to project to is 0.

        Examples
        --------
        >>> from workbench.mapping import repeat, spatial
        >>> (spatial(2, 2) * repeat(2, 2)).projection({1: 0})(3)
        [(2, 0), (2, 0), (3, 0), (3, 0)]
        """
        where = check_dims(f"({self}).projection({dims!r})", self.rank, dims)
        return TaskMapping.of((Projection(self.factors, where),))

    def canonical(self) -> TaskMapping:
        """The one way to write this function, without loop attributes.

        A mapping that is no composition of `repeat`, `spatial` and projections (it has
        predicates, or a user's function with other strides) is its own canonical form.

        Examples
        --------
        >>> from workbench.mapping import repeat, spatial
        >>> (spatial(2, 1) * repeat(1, 3) * spatial(4, 1)).canonical()
        repeat(1, 3) * spatial(8, 1)
        """
        form = canonical_of(self.factors)
        return self if form is None else TaskMapping.of(form)

    def same_as(self, other: TaskMapping) -> Comparison:
        """Whether `other` gives every worker the same tasks in the same order.

        Parameters
        ----------
        other : TaskMapping

        Returns
        -------
        Comparison
            True or false, with the first worker and position that differ.

        Examples
        --------
        >>> from workbench.mapping import spatial
        >>> print((spatial(2, 2) * spatial(2, 2)).same_as(spatial(4, 4)))
        worker 2 differs at position 0: (1, 0) against (0, 2)
        """
        if not isinstance(other, TaskMapping):
            raise MappingError(f"{self} is compared with a mapping, not with {other!r}")
        return compare(self.factors, other.factors)

    def nest(self) -> Nest:
        """The mapping as loops, indices and guards, for the compiler and the screens."""
        return nest_of(self.factors)
