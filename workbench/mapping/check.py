"""Checks of what a person hands to a mapping or layout; each names the argument and the number."""

from __future__ import annotations

from math import prod
from operator import index
from typing import TYPE_CHECKING, SupportsIndex

from workbench.base.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Sequence

DOMAIN_LIMIT = 2**62
"""Most tasks of a domain and most workers: sums and products stay exact in 64 bits."""

ENTRY_LIMIT = 2**27
"""Most numbers in a table; 512 MiB of int32."""

LIST_LIMIT = 2**22
"""Most numbers in the list of one worker's tasks, which are Python objects."""

FUNCTION_LIMIT = 2**22
"""Most numbers in the table of a user's function: kernels carry it as constants."""

UNROLL_WORDS = ("unroll", "no_unroll")


def as_int(value: object) -> int | None:
    """`value` as an int when it is one, numpy's included, and no bool; else None.

    Examples
    --------
    >>> as_int(3), as_int(True), as_int(3.0)
    (3, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    if isinstance(value, int):  # also one that knows how it came about
        return value
    try:
        return index(value)
    except TypeError:  # numpy's arrays have the method, and only those of one integer the number
        return None


def counted(number: int, one: str) -> str:
    """A number of things in words.

    Examples
    --------
    >>> counted(1, "dim"), counted(2, "dim")
    ('1 dim', '2 dims')
    """
    return f"{number} {one}{'s' * (number != 1)}"


def check_extent(call: str, dim: int, extent: object) -> int:
    """The extent as an int of at least 1; `call` is the text of the whole factor.

    Raises
    ------
    MappingError
        The extent is no int, or below 1.
    """
    number = as_int(extent)
    if number is None:
        raise MappingError(
            f"{call}: extent {extent!r} of dim {dim} is a {type(extent).__name__}, not an int",
            hint="extents are whole numbers known when the mapping is made",
        )
    if number < 1:
        raise MappingError(
            f"{call}: extent {number} of dim {dim} is below 1", hint="extents start at 1"
        )
    return number


def check_shape(call: str, shape: Sequence[object]) -> tuple[int, ...]:
    """The shape as a tuple of ints.

    Raises
    ------
    MappingError
        No extents, an extent that is no positive int, or a domain past ``DOMAIN_LIMIT``.
    """
    if not shape:
        raise MappingError(
            f"{call}: no extents", hint="give one extent per dim, such as spatial(16, 8)"
        )
    good = tuple(check_extent(call, dim, extent) for dim, extent in enumerate(shape))
    check_size(call, "tasks", prod(good))
    return good


def check_size(call: str, what: str, number: int) -> None:
    """Raise when there are more than ``DOMAIN_LIMIT`` of something.

    Raises
    ------
    MappingError
        `number` is too large.
    """
    if number > DOMAIN_LIMIT:
        raise MappingError(f"{call}: {number} {what} are more than 2**62")


def check_workers(call: str, workers: object) -> int:
    """The number of workers.

    Raises
    ------
    MappingError
        `workers` is no int, below 1 or too large.
    """
    number = as_int(workers)
    if number is None:
        raise MappingError(
            f"{call}: workers={workers!r} is a {type(workers).__name__}, not an int",
            hint="the number of workers is a whole number, such as workers=64",
        )
    if number < 1:
        raise MappingError(f"{call}: workers={number} is below 1", hint="one is the least")
    check_size(call, "workers", number)
    return number


def check_ranks(call: str, rank: int, ranks: object) -> tuple[int, ...]:
    """The place of each dim in the slow-to-fast order; ``None`` stands for 0, 1, 2, ….

    Raises
    ------
    MappingError
        `ranks` is no permutation of 0 … rank-1.
    """
    if ranks is None:
        return tuple(range(rank))
    shown = list(ranks) if isinstance(ranks, list | tuple) else ranks
    items = [as_int(item) for item in shown] if isinstance(shown, list) else []
    good = tuple(item for item in items if item is not None)
    if len(items) != len(good) or sorted(good) != list(range(rank)):
        raise MappingError(
            f"{call}: ranks={shown!r} is no permutation of {list(range(rank))}",
            hint="ranks[dim] is the place of that dim, from slowest (0) to fastest",
        )
    return good


def check_attr(call: str, attr: object) -> str | int | None:
    """One loop attribute: ``None``, ``"unroll"``, ``"no_unroll"`` or an unroll factor.

    Raises
    ------
    MappingError
        Anything else.
    """
    if attr is None or (isinstance(attr, str) and attr in UNROLL_WORDS):
        return attr
    number = as_int(attr)
    if number is not None and number >= 1:
        return number
    raise MappingError(
        f"{call}: loop attribute {attr!r} is none of None, 'unroll', 'no_unroll', a factor >= 1",
        hint='write attrs="unroll" to unroll every loop, or attrs=["unroll", None] per dim',
    )


def check_attrs(call: str, rank: int, attrs: object) -> tuple[str | int | None, ...]:
    """One loop attribute per dim; a single value stands for all dims.

    Raises
    ------
    MappingError
        A value that is no loop attribute, or not one per dim.
    """
    if not isinstance(attrs, list | tuple):
        return (check_attr(call, attrs),) * rank
    if len(attrs) != rank:
        raise MappingError(
            f"{call}: {counted(len(attrs), 'loop attribute')} for {counted(rank, 'dim')}",
            hint="give one per dim, or a single value for all",
        )
    return tuple(check_attr(call, attr) for attr in attrs)


def check_dims(call: str, rank: int, dims: object) -> tuple[int, ...]:
    """The dims of a projection ``{dim: 0}``, sorted.

    Raises
    ------
    MappingError
        `dims` is no such dict, or names a dim that is not there.
    """
    if not isinstance(dims, dict) or not dims:
        raise MappingError(
            f"{call}: a projection is a dict such as {{1: 0}}, not {dims!r}",
            hint="its keys are the dims that are forced to 0",
        )
    for dim, place in dims.items():
        number = as_int(dim)
        if number is None or not 0 <= number < rank:
            raise MappingError(f"{call}: dim {dim!r} is not one of the dims 0 … {rank - 1}")
        if as_int(place) != 0:
            raise MappingError(
                f"{call}: dim {dim} is projected to {place!r}",
                hint="a projection forces a dim to 0: its extent becomes 1",
            )
    return tuple(sorted(map(index, dims)))
