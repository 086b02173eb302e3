"""Read-modify-write of tensor elements: threads that meet at an element go one by one, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.interp.memory import Place, locate, log_access, report_race, touched
from workbench.interp.values import numpy_dtype, operation, poison
from workbench.ir.expr import Atomic, AtomicOp, BinaryOp

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.machine import Machine, Mask
    from workbench.interp.values import Array

    Ints = NDArray[np.int64]
else:
    np = lazy("numpy")

_AS_BINARY = {
    AtomicOp.ADD: BinaryOp.ADD,
    AtomicOp.MIN: BinaryOp.MIN,
    AtomicOp.MAX: BinaryOp.MAX,
    AtomicOp.AND: BinaryOp.BITAND,
    AtomicOp.OR: BinaryOp.BITOR,
    AtomicOp.XOR: BinaryOp.BITXOR,
}


def atomic(
    m: Machine,
    node: Atomic,
    index: Sequence[Array],
    value: Array,
    compare: Array | None,
    mask: Mask,
) -> Array:
    """Update elements; gives each thread the value that it found.

    Parameters
    ----------
    value, compare : ndarray
        Operand, and what the element must hold for a compare-and-exchange.
    """
    old = np.full(m.size, poison(node.type), dtype=numpy_dtype(node.type))
    place = locate(m, node, index, 1, mask)
    if place is None:
        return old
    storage = place.storage
    at, lanes = touched(m, place)
    if m.checks:
        _check(m, node, place, at, lanes)
    if m.run.accesses is not None:
        log_access(m, node, "atomic", place)
    operand = np.broadcast_to(value, m.size)[lanes]
    expected = None if compare is None else np.broadcast_to(compare, m.size)[lanes]
    for turn in _turns(at):
        here = at[turn]
        found = storage.data[here]
        old[lanes[turn]] = found
        wanted = None if expected is None else expected[turn]
        storage.data[here] = _updated(node, found, operand[turn], wanted)
    if storage.written is not None:
        storage.written[at] = True
    return old


def _check(m: Machine, node: Atomic, place: Place, at: Ints, lanes: Ints) -> None:
    storage = place.storage
    if storage.written is not None:
        fresh = ~storage.written[at]
        m.fault(
            "uninitialised",
            node,
            lanes[fresh],
            lambda lane: f"updates {storage.name}{list(place.at(lane))}, which was never written",
            storage.name,
            place.at,
        )
    if storage.shadow is not None:
        found = storage.shadow.atomic(m.clock, at, lanes, m.run.site(node))
        report_race(m, node, place, lanes, found)


def _turns(at: Ints) -> list[Ints]:
    """Positions in `at` by turns: in each no address occurs twice, and order is kept."""
    order = np.argsort(at, kind="stable")
    ranked = at[order]
    start = np.ones(len(at), dtype=bool)
    start[1:] = ranked[1:] != ranked[:-1]
    first = np.flatnonzero(start)
    turn = np.arange(len(at)) - np.repeat(first, np.diff(np.append(first, len(at))))
    by_turn = np.argsort(turn, kind="stable")
    ends = np.cumsum(np.bincount(turn))
    return np.split(order[by_turn], ends[:-1])


def _updated(node: Atomic, found: Array, operand: Array, expected: Array | None) -> Array:
    if node.op is AtomicOp.EXCHANGE:
        return operand
    if node.op is AtomicOp.COMPARE_EXCHANGE:
        assert expected is not None
        # by bits, as the hardware compares
        bits = f"u{found.dtype.itemsize}"
        same = found.view(bits) == np.ascontiguousarray(expected).view(bits)
        return np.where(same, operand, found)
    return operation(_AS_BINARY[node.op], node.type, node.type)(found, operand)
