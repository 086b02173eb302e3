"""The primitives: `spatial` and `repeat`, and their column-major forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.mapping.make import primitive
from workbench.mapping.task import TaskMapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.mapping.make import Attrs


def spatial(*shape: int, ranks: Sequence[int] | None = None) -> TaskMapping:
    """One task for each worker, in row-major order.

    Parameters
    ----------
    *shape : int
        Extents; their product is the number of workers.
    ranks : sequence of int, optional
        ``ranks[dim]`` is the place of the dim, from slowest (0) to fastest.

    Raises
    ------
    MappingError
        Extents that are no positive ints, or ranks that are no permutation.

    Examples
    --------
    >>> spatial(2, 3)(4), spatial(2, 3, ranks=[1, 0])(4)
    ([(1, 1)], [(0, 2)])
    """
    return TaskMapping.of((primitive("spatial", shape, ranks),))


def repeat(*shape: int, ranks: Sequence[int] | None = None, attrs: Attrs = None) -> TaskMapping:
    """All tasks for one worker, in row-major order.

    Parameters
    ----------
    *shape : int
        Extents.
    ranks : sequence of int, optional
        ``ranks[dim]`` is the place of the dim, from slowest (0) to fastest.
    attrs : Attr or sequence of Attr, optional
        Loop attribute for all dims or per dim: ``"unroll"``, ``"no_unroll"``, an unroll factor,
        or None.

    Raises
    ------
    MappingError
        Extents that are no positive ints, ranks that are no permutation, unknown attributes.

    Examples
    --------
    >>> repeat(2, 2)(0)
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    return TaskMapping.of((primitive("repeat", shape, ranks, attrs),))


def column_spatial(*shape: int) -> TaskMapping:
    """:func:`spatial` in column-major order: the first dim runs fastest.

    Examples
    --------
    >>> column_spatial(2, 3)(1)
    [(1, 0)]
    """
    return TaskMapping.of((primitive("spatial", shape, column=True),))


def column_repeat(*shape: int, attrs: Attrs = None) -> TaskMapping:
    """:func:`repeat` in column-major order: the first dim runs fastest.

    Examples
    --------
    >>> column_repeat(2, 2)(0)
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """
    return TaskMapping.of((primitive("repeat", shape, attrs=attrs, column=True),))
