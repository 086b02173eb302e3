"""Arrays made of constants, made once for all graphs that read the same constants.

A graph for other sizes of its inputs is imported and rewritten anew, but its weights are the same
memory: what is computed of them, packed or folded, is found again here as long as they live.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.base.lazy import lazy
from workbench.graph.symbolic.tape import traced
from workbench.ir.alike import alike
from workbench.schedules.compute import Compute

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

A = TypeVar("A")

_Place = tuple[tuple[int, tuple[int, ...], tuple[int, ...], str], ...]


@dataclass(slots=True)
class _Made:
    """What was made of arrays whose memory `owners` hold: pairs of how, and the result."""

    owners: tuple[weakref.ref[np.ndarray], ...]
    found: list[tuple[object, Any]] = field(default_factory=list)


_SMALL_BYTES = 4096
"""Results of less than this are not worth keeping [byte]."""

_MADE: dict[_Place, _Made] = {}


def derived(sources: Sequence[np.ndarray], how: object, make: Callable[[], A]) -> A:
    """What `make` gives, or gave before for the same memory and the same `how`.

    Parameters
    ----------
    sources : sequence of numpy.ndarray
        What it is made of; nobody may change them.
    how : object
        Tells results of the same sources apart: a definition, compared by structure, or a value.
    make : callable
        Computes it of the sources, and of nothing else that `how` does not tell.

    Returns
    -------
    numpy.ndarray or cupy.ndarray
        Not to be changed: it belongs to others as well.
    """
    if traced(list(sources)):
        return make()
    owners = [a if a.base is None else a.base for a in sources]
    if sum(a.nbytes for a in sources) < _SMALL_BYTES or not all(
        isinstance(o, np.ndarray) for o in owners
    ):
        return make()
    place = tuple((a.ctypes.data, a.shape, a.strides, a.dtype.str) for a in sources)
    made = _MADE.get(place)
    if made is None or any(r() is not o for r, o in zip(made.owners, owners, strict=True)):
        refs = tuple(weakref.ref(o, lambda _, known=_MADE: known.pop(place, None)) for o in owners)
        made = _MADE[place] = _Made(refs)
    for other, result in made.found:
        if _same(other, how):
            return result
    result = make()
    # a view of a source would keep it alive for ever
    if not (
        isinstance(result, np.ndarray) and any(np.may_share_memory(result, a) for a in sources)
    ):
        made.found.append((how, result))
    return result


def _same(left: object, right: object) -> bool:
    if isinstance(left, Compute) and isinstance(right, Compute):
        return alike(left, right)
    return left == right
