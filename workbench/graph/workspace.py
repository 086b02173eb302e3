"""The memory of a call, and the steps that run in it."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError, WorkbenchError
from workbench.base.lazy import lazy
from workbench.graph.build import host_arrays
from workbench.graph.sequence import Launches
from workbench.runtime.cpu_launch import Prepared
from workbench.runtime.memory import array_module

if TYPE_CHECKING:
    import numpy as np

    from workbench.driver.kernel import Kernel
    from workbench.graph.group import Group
    from workbench.graph.memory import MemoryPlan
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")

Array = Any

_addressof, _first_byte = ctypes.addressof, ctypes.c_char.from_buffer


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One launch of a call: a kernel and what it is called with.

    Without a kernel the group's host call is run; its tensors are its inputs, then its outputs.
    With one, the group is for who looks; a replayed launch has none.
    """

    kernel: Kernel | None
    group: Group | None
    tensors: tuple[Tensor, ...]


@dataclass
class Workspace:
    """Memory of one call at a time, and what is prepared of it.

    `arrays` are constants and parts of the arena, `own` the arrays of the call that runs, `place`
    says which of them is a tensor's; `kind` is that of the target. `prepared` are launches that
    need nothing of the call; a CPU has `launches` for all steps, and `places` where the address of
    a call's array belongs in them: its number, alignment [byte], pointers and index.
    """

    arrays: dict[Tensor, Array]
    place: Mapping[Tensor, int]
    kind: str
    prepared: dict[Step, Any] = field(default_factory=dict)
    launches: Launches | None = None
    places: list[tuple[int, int, Any, int]] = field(default_factory=list)
    own: Sequence[Array] = ()

    def array(self, tensor: Tensor) -> Array:
        """The array of a tensor in the call that runs."""
        n = self.place.get(tensor)
        return self.arrays[tensor] if n is None else self.own[n]

    def _point(self) -> bool:
        """Put the arrays of this call into the launches; False when one does not lie right."""
        try:  # a third of what numpy takes to tell; refused where nothing may be written
            addresses = [_addressof(_first_byte(a)) for a in self.own]
        except (TypeError, ValueError, BufferError):
            addresses = [a.ctypes.data for a in self.own]
        for number, align, pointers, n in self.places:
            address = addresses[number]
            if address % align:
                return False
            pointers[n] = address
        return True

    def run(self, steps: Sequence[Step], own: Sequence[Array]) -> None:
        """Run all steps.

        Parameters
        ----------
        steps : sequence of Step
            The same in every call.
        own : sequence of array
            Inputs and outputs of this call, in the order of `place`.
        """
        self.own = own
        if self.kind != "cpu":
            for step in steps:
                self._run(step)
        else:
            # arrays of this call are put into what was prepared
            if self.launches is None or not self._point():
                self.places.clear()
                self.launches = Launches([self._prepared(step) for step in steps])
            self.launches()
        self.own = ()

    def _run(self, step: Step) -> None:
        run = self.prepared.get(step)
        if run is None:
            arrays = [self.array(t) for t in step.tensors]
            run = self._host(step) if step.kernel is None else step.kernel.prepare(*arrays)
            if not any(t in self.place for t in step.tensors):
                self.prepared[step] = run
        run()

    def _prepared(self, step: Step) -> Prepared | Callable[[], None]:
        """A launch with the arrays of this call, its places for those of others noted."""
        if step.kernel is None:
            return self._host(step)
        run = step.kernel.prepare(*(self.array(t) for t in step.tensors))
        assert isinstance(run, Prepared)
        for n, (t, param) in enumerate(zip(step.tensors, step.kernel.params, strict=True)):
            if t in self.place:
                align = param.align_bytes or t.dtype.size_bytes
                self.places.append((self.place[t], align, run.pointers, n))
        return run

    def _host(self, step: Step) -> Callable[[], None]:
        """A call of the group's function with the arrays of the call that runs."""
        assert step.group is not None, "a host call is that of a group"
        op, gpu = step.group.anchor, self.kind == "cuda"
        function = op.host
        assert callable(function)

        def run() -> None:
            inputs = [self.array(t).reshape(t.extents) for t in op.inputs]
            values = [a.get() for a in inputs] if gpu else inputs
            try:
                found = host_arrays(op.name, function, values, op.outputs)
            except WorkbenchError as error:
                error.notes = (*error.notes, f"in node {', '.join(op.origin) or op.name}")
                raise
            for t, array in zip(op.outputs, found, strict=True):
                self.array(t).reshape(t.extents)[...] = array_module(gpu).asarray(array)

        return run


def kinds(inputs: Mapping[str, Array]) -> Hashable:
    """What checks of a call look at, when it is a dict of plain arrays; else None.

    Two calls of the same kinds fit both, or neither does.
    """
    if type(inputs) is not dict:
        return None
    found: list[Hashable] = []
    for name, array in inputs.items():
        if type(array) is not np.ndarray or not array.flags.carray:
            return None
        found.append((name, array.dtype, array.shape))
    return tuple(found)


def arena(xp: Any, plan: MemoryPlan) -> dict[Tensor, Array]:
    """Arrays for what lies between kernels, at their places in one piece of memory."""
    # numpy aligns to 16 bytes only: the arena starts at the next place that suits all
    raw = _had(lambda: xp.empty(plan.arena_bytes + _ALIGN, "uint8"), "what lies between kernels")
    address = raw.data.ptr if hasattr(raw.data, "ptr") else raw.ctypes.data
    start = -address % _ALIGN
    arrays: dict[Tensor, Array] = {}
    for tensor, offset in plan.offsets.items():
        part = raw[start + offset : start + offset + tensor.size_bytes]
        arrays[tensor] = part.view(tensor.dtype.numpy_name).reshape(tensor.storage.extents)
    return arrays


_ALIGN = 256
_PAGE = 4096
_LONG = 2**16
_SPARED_BYTES = 2**27


def room(xp: Any, shape: tuple[int, ...], kind: str | np.dtype[Any], what: object) -> Array:
    """An array, nothing in it yet; on a CPU a long one begins with a page.

    numpy aligns to 16 bytes: a vector in two lines is stored twice. A long array of numpy's
    begins 16 bytes after a page does. Were a result a line after one, loads from such an input
    would wait for stores just before them, whose addresses differ in the upper bits only.

    Raises
    ------
    LaunchError
        When there is no memory for it.
    """
    array = _had(lambda: xp.empty(shape, kind), what)
    if not isinstance(array, np.ndarray) or array.nbytes < _LONG:
        return array
    raw = _had(lambda: _SPARED.take(array.nbytes + _PAGE), what)
    start = -raw.ctypes.data % _PAGE
    return raw[start : start + array.nbytes].view(array.dtype).reshape(shape)


def _had(make: Callable[[], Array], what: object) -> Array:
    try:
        return make()
    except MemoryError as error:
        raise LaunchError(f"there is no memory for {what}", notes=[str(error)]) from None


class _Spared:
    """Memory of long results: once who got one has dropped it, the next one lies there.

    Fresh pages can cost more than the kernels that fill them. An array that has none but its list
    to hold it, no view of it either, is free; all together they take no more than a bound.
    """

    def __init__(self) -> None:
        self._kept: list[Array] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> Array:
        """So many bytes, or a quarter more; of those that are free the one that was last in use."""
        with self._lock:
            counts = _counts(self._kept)
            for n in reversed(range(len(counts))):
                if counts[n] == _UNSHARED and size <= self._kept[n].nbytes <= size + size // 4:
                    self._kept.append(self._kept.pop(n))
                    return self._kept[-1]
            if size > _SPARED_BYTES:
                return np.empty(size, "uint8")
            total = sum(raw.nbytes for raw in self._kept) + size
            while total > _SPARED_BYTES:
                total -= self._kept.pop(0).nbytes
            self._kept.append(np.empty(size, "uint8"))
            return self._kept[-1]


def _counts(arrays: list[Array]) -> list[int]:
    return [sys.getrefcount(a) for a in arrays]


_UNSHARED = _counts([object()])[0]
"""What `_counts` says of what only its list holds."""

_SPARED = _Spared()
