"""Tensors: addresses, bounds, loads and stores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.interp.machine import VERBS, element
from workbench.interp.shadow import Shadow
from workbench.interp.storage import Storage
from workbench.interp.values import numpy_dtype, poison
from workbench.ir.module import Level
from workbench.ir.types import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.machine import Machine, Mask
    from workbench.interp.shadow import Conflict
    from workbench.interp.values import Array
    from workbench.ir.expr import Atomic, Load, Var
    from workbench.ir.stmt import Store
    from workbench.mapping.layout import Layout

    Ints = NDArray[np.int64]
else:
    np = lazy("numpy")


def allocate(m: Machine, var: Var, mask: Mask) -> None:
    """Make room for a shared or register tensor, or make its elements undefined again."""
    kind = var.tensor
    old = m.tensors.get(var)
    if old is None:
        shared = kind.scope is Scope.SHARED
        shape = (m.blocks * kind.size,) if shared else (kind.size, m.size)
        data = np.full(shape, poison(kind.dtype), dtype=numpy_dtype(kind.dtype))
        written = np.zeros(shape, dtype=bool) if m.checks else None
        races = shared and m.checks
        shadow = Shadow(shape[0], True) if races else None
        m.tensors[var] = Storage(var.name, kind, data, written, shadow)
        return
    if kind.scope is Scope.SHARED:
        here = np.unique(m.block[m.chosen(mask)])
        rows = [a.reshape(m.blocks, -1) for a in (old.data, old.written) if a is not None]
    else:
        here = m.chosen(mask)
        rows = [a.T for a in (old.data, old.written) if a is not None]
    rows[0][here] = poison(kind.dtype)
    if old.written is not None:
        rows[1][here] = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where some threads access a tensor.

    Attributes
    ----------
    storage : Storage
    address : ndarray of int64 or scalar
        In elements of `storage.data` (its first axis): shape [] or [n], or [lanes, n] of a vector.
    active : mask
        Threads whose access is in bounds; addresses of the others are 0.
    index : tuple of ndarray
        As it was asked for.
    """

    storage: Storage
    address: Array
    active: Mask
    index: tuple[Array, ...]

    def at(self, lane: int) -> tuple[int, ...]:
        """The index that the thread at position `lane` used."""
        return tuple(int(i if i.ndim == 0 else i[lane]) for i in self.index)


def locate(
    m: Machine, node: Load | Store | Atomic, index: Sequence[Array], lanes: int, mask: Mask
) -> Place | None:
    """Addresses of an access; None when nobody's is in bounds."""
    storage = m.tensors[node.tensor]
    flat = m.run.module.level is Level.LOWERED or storage.type.scope is Scope.CONSTANT
    extents = (storage.type.size,) if flat else storage.extents
    active = _inside(m, node, storage, index, extents, lanes, mask)
    if active is None:
        return None
    address: Array = np.zeros((), np.int64)[()]
    for i, extent in zip(index, extents, strict=True):
        address = address * extent + i.astype(np.int64)
    if active is not m.full:
        address = np.where(active, address, 0) if np.ndim(address) else address
    if lanes > 1:
        address = np.atleast_1d(address)[None, :] + np.arange(lanes)[:, None]
    if storage.type.layout is not None and not flat:
        address = _table(storage.type.layout)[address]
    if lanes > 1:
        active = _aligned(m, node, storage, address, index, active)
        if active is None:
            return None
    return Place(storage, _absolute(m, storage, address), active, tuple(index))


def _absolute(m: Machine, storage: Storage, address: Array) -> Array:
    """Addresses in `storage.data`, which holds the elements of several blocks."""
    scope = storage.type.scope
    if scope is Scope.SHARED:
        return address + m.block * storage.type.size
    # a row of registers is much quicker than one register of each thread
    if scope is Scope.REGISTER and address.ndim == 1 and (address == address[0]).all():
        return address[0]
    return address


@cache
def _table(layout: Layout) -> Ints:
    return np.asarray(layout.table(), dtype=np.int64).ravel()


def _inside(
    m: Machine,
    node: Load | Store | Atomic,
    storage: Storage,
    index: Sequence[Array],
    extents: Sequence[int],
    lanes: int,
    mask: Mask,
) -> Mask | None:
    """The threads of `mask` whose index is in bounds; a fault for the others."""
    active = mask
    last = len(extents) - 1
    for axis, (i, extent) in enumerate(zip(index, extents, strict=True)):
        end = extent - (lanes - 1 if axis == last else 0)
        if i.ndim == 0:
            if not 0 <= i < end:
                active = m.full & False
        elif i.min() < 0 or i.max() >= end:
            active = active & (i >= 0) & (i < end)
    if active is mask:
        return mask
    bad = np.flatnonzero(mask & ~active)
    if not len(bad):
        return mask
    wanted = Place(storage, np.empty(0), mask, tuple(index))
    verb = VERBS[type(node).__name__]

    def tell(lane: int) -> str:
        many = f" and the {lanes - 1} after it" if lanes > 1 else ""
        shape = f"{storage.type.dtype}[{', '.join(map(str, extents))}]"
        return f"{verb} {element(storage.name, wanted.at(lane))}{many}, outside {shape}"

    m.fault("out_of_bounds", node, bad, tell, storage.name, wanted.at)
    return active if active.any() else None


def _aligned(
    m: Machine,
    node: Load | Store | Atomic,
    storage: Storage,
    address: Ints,
    index: Sequence[Array],
    active: Mask,
) -> Mask | None:
    """The threads of `active` whose vector lies side by side from a multiple of its size."""
    lanes = len(address)
    good = (address[0] % lanes == 0) & (address[-1] - address[0] == lanes - 1)
    bad = np.flatnonzero(active & ~good)
    if not len(bad):
        return active
    wanted = Place(storage, address, active, tuple(index))
    size = lanes * storage.type.dtype.size_bytes

    def tell(lane: int) -> str:
        first = int(address[0, lane if address.shape[1] > 1 else 0])
        where = f"at byte {first * storage.type.dtype.size_bytes}"
        text = f"{VERBS[type(node).__name__]} {lanes} elements from "
        return f"{text}{element(storage.name, wanted.at(lane))} {where}, no multiple of {size}"

    m.fault("misaligned", node, bad, tell, storage.name, wanted.at)
    # the elements are side by side all the same unless a layout tears them apart
    torn = np.flatnonzero(active & (address[-1] - address[0] != lanes - 1))
    if not len(torn):
        return active
    rest = active.copy()
    rest[torn] = False
    return rest if rest.any() else None


def load(m: Machine, node: Load, index: Sequence[Array], mask: Mask) -> Array:
    """Elements of a tensor; poison where a thread must not read."""
    kind = node.type
    place = locate(m, node, index, kind.lanes, mask)
    if place is None:
        blank = np.full(m.size, poison(kind.element), dtype=numpy_dtype(kind))
        return blank if kind.lanes == 1 else np.tile(blank, (kind.lanes, 1))
    storage, active = place.storage, place.active
    value = _fetch(m, storage, place.address)
    if m.checks and (storage.written is not None or storage.shadow is not None):
        value = _check_read(m, node, place, value)
    if m.run.accesses is not None:
        log_access(m, node, "load", place)
    if active is mask:
        return value
    return np.where(mask & ~active, poison(kind.element), value)


def _fetch(m: Machine, storage: Storage, address: Array) -> Array:
    if storage.type.scope is not Scope.REGISTER:
        return storage.data[address]
    if address.ndim == 0:
        return storage.data[int(address)].copy()
    return storage.data[address, m.lanes]


def touched(m: Machine, place: Place) -> tuple[Ints, Ints]:
    """Address and thread of every element that is accessed, flat."""
    lanes = m.chosen(place.active)
    address = np.broadcast_to(place.address, (*place.address.shape[:-1], m.size))
    if place.active is not m.full:
        address = address[..., lanes]
    if address.ndim == 1:
        return address, lanes
    return address.ravel(), np.tile(lanes, len(address))


def _check_read(m: Machine, node: Load, place: Place, value: Array) -> Array:
    storage = place.storage
    if storage.written is not None:
        value = _check_written(m, node, place, value, storage.written)
    if storage.shadow is not None:
        at, lanes = touched(m, place)
        found = storage.shadow.read(m.clock, at, lanes, m.run.site(node))
        report_race(m, node, place, lanes, found)
    return value


def _check_written(m: Machine, node: Load, place: Place, value: Array, written: Mask) -> Array:
    storage = place.storage
    if storage.type.scope is not Scope.REGISTER:
        fresh = ~written[place.address]
    elif place.address.ndim == 0:
        if written[place.address].all():
            return value
        fresh = ~written[place.address]
    else:
        fresh = ~written[place.address, m.lanes]
    fresh = fresh & place.active
    if not fresh.any():
        return value
    bad = np.flatnonzero(fresh.any(axis=0) if fresh.ndim == 2 else fresh)

    def tell(lane: int) -> str:
        return f"reads {element(storage.name, place.at(lane))}, which was never written"

    m.fault("uninitialised", node, bad, tell, storage.name, place.at)
    return np.where(fresh, poison(storage.type.dtype), value)


def report_race(
    m: Machine, node: Load | Store | Atomic, place: Place, lanes: Ints, found: Conflict | None
) -> None:
    """Record the race, if there is one."""
    if found is not None:
        m.race(node, lanes, found, place.storage.name, place.at)


def store(m: Machine, node: Store, index: Sequence[Array], value: Array, mask: Mask) -> None:
    """Write elements of a tensor; of threads that write the same element the last one wins."""
    lanes = len(value) if value.ndim == 2 else 1
    place = locate(m, node, index, lanes, mask)
    if place is None:
        return
    storage = place.storage
    if storage.type.scope is Scope.REGISTER:
        _store_register(m, place, value)
    else:
        _store_memory(m, node, place, value)
    if m.run.accesses is not None:
        log_access(m, node, "store", place)


def _store_register(m: Machine, place: Place, value: Array) -> None:
    storage, active = place.storage, place.active
    targets = [(storage.data, value)]
    if storage.written is not None:
        targets.append((storage.written, np.True_))  # pyright: ignore[reportArgumentType]
    for data, new in targets:
        if place.address.ndim == 0:
            row = data[int(place.address)]
            if active is m.full:
                row[...] = new
            else:
                np.copyto(row, new, where=active)
        else:
            at, lanes = touched(m, place)
            wide = np.broadcast_to(new, (*place.address.shape[:-1], m.size))
            data[at, lanes] = wide[..., m.chosen(active)].ravel()


def _store_memory(m: Machine, node: Store, place: Place, value: Array) -> None:
    storage = place.storage
    at, lanes = touched(m, place)
    new = np.broadcast_to(value, (*place.address.shape[:-1], m.size))
    new = (new if place.active is m.full else new[..., m.chosen(place.active)]).ravel()
    if storage.shadow is None or not m.checks:
        storage.data[at] = new
    else:
        before = _same(storage.data[at], new)
        storage.data[at] = new
        after = _same(storage.data[at], new)
        found = storage.shadow.write(m.clock, at, lanes, m.run.site(node), before, after)
        report_race(m, node, place, lanes, found)
    if storage.written is not None:
        storage.written[at] = True


def _same(a: Array, b: Array) -> Mask:
    """Bitwise equality, so that a NaN is like itself."""
    bits = f"u{a.dtype.itemsize}"
    return np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)


def log_access(m: Machine, node: Load | Store | Atomic, kind: str, place: Place) -> None:
    """Note sectors or banks of the access."""
    log, storage = m.run.accesses, place.storage
    if log is None or storage.type.scope not in (Scope.GLOBAL, Scope.SHARED):
        return
    lanes = m.chosen(place.active)
    width = storage.type.dtype.size_bytes
    first = place.address if place.address.ndim < 2 else place.address[0]
    start = np.broadcast_to(first, m.size)[lanes]
    if storage.type.scope is Scope.SHARED:
        start = start - m.block[lanes] * storage.type.size
    count = place.address.shape[0] if place.address.ndim == 2 else 1

    log.record(
        node,
        kind,
        storage.name,
        storage.type.scope,
        start * width,
        m.warp[lanes],
        m.lane[lanes],
        count * width,
    )
