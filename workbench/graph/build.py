"""Puts a graph together operator by operator, computing at once what is known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.derived import derived
from workbench.graph.evaluate import evaluate
from workbench.graph.operator import HostCall, Operator, Program
from workbench.graph.symbolic.array import computed, contiguous
from workbench.graph.symbolic.definition import evaluated
from workbench.graph.symbolic.settled import bound
from workbench.graph.symbolic.tape import Tape, traced
from workbench.graph.tensor import Tensor, text
from workbench.ir import types
from workbench.ir.build import const
from workbench.ir.expr import Load
from workbench.ir.traverse import rewrite
from workbench.ir.types import DType

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.segment import Origin
    from workbench.schedules.compute import Compute
else:
    np = lazy("numpy")

FOLD_LIMIT = 2**20
"""An operator on constants is computed now if its output has at most as many elements as this,
or as its inputs together; else it stays an operator (a huge fill must not eat the memory)."""

SMALL = 64
"""Elements of constants that are moved without a definition."""

FOLD_STEPS = 2**24
"""A reduction on constants is computed now up to as many steps; a kernel is better at more."""

FOLD_BYTES = 2**28
"""What may be computed now altogether, beyond four times the weights [byte]."""


class NeedsValue(Exception):
    """The import needs the values of tensors before it can go on: the graph is cut there.

    Attributes
    ----------
    tensors : tuple of Tensor
        Whose values.
    what : str
        What for.
    """

    def __init__(self, tensors: Sequence[Tensor], what: str = "a value") -> None:
        names = ", ".join(t.name for t in tensors)
        super().__init__(f"{what} ({names}) depends on the inputs of the call")
        self.tensors = tuple(tensors)
        self.what = what


class NeedsHost(Exception):
    """A node's outputs have shapes that depend on data: the graph is cut there.

    Attributes
    ----------
    function : HostCall
        Gives the node's outputs.
    inputs : tuple of Tensor
        What it reads.
    body : Origin or None
        What it runs, as in `Cut`.
    """

    def __init__(
        self, function: HostCall, inputs: tuple[Tensor, ...], body: Origin | None = None
    ) -> None:
        super().__init__("the shape of an output depends on the inputs of the call")
        self.function = function
        self.inputs = inputs
        self.body = body


@dataclass
class Builder:
    """A graph under construction.

    Attributes
    ----------
    origin : str
        The model's node that is being translated; recorded in each operator made meanwhile.
    wish : str
        What the tensors made meanwhile are called after.
    given_bytes, folded_bytes : int
        Constants from outside, and those computed of them, so far [byte].
    sequences : dict
        Lists of tensors, which exist while importing only: what each tensor of no shape that
        stands for one holds.
    tape : Tape or None
        Where extents of the inputs are traced, and what is computed of them.
    """

    operators: list[Operator] = field(default_factory=list[Operator])
    constants: dict[Tensor, np.ndarray] = field(default_factory=dict)
    origin: str = ""
    wish: str = "t"
    given_bytes: int = 0
    folded_bytes: int = 0
    sequences: dict[Tensor, tuple[Tensor, ...]] = field(default_factory=dict)
    tape: Tape | None = None

    def sequence(self, items: Sequence[Tensor], dtype: DType) -> Tensor:
        """What stands for a list of tensors; see `sequences`."""
        tensor = Tensor(self.wish, dtype, None)
        self.sequences[tensor] = tuple(items)
        return tensor

    def constant(self, value: np.ndarray, name: str = "") -> Tensor:
        """A tensor known now; with a name of its own it is a weight.

        Raises
        ------
        ModelError
            For a number type that kernels do not have, or when constants fill the memory.
        """
        tensor = self._known(contiguous(value), name)
        if name:
            self.given_bytes += tensor.size_bytes
        else:
            self.folded_bytes += tensor.size_bytes
        if self.folded_bytes > FOLD_BYTES + self._allowed_bytes:
            raise ModelError(
                f"constants computed of {self.given_bytes} bytes of weights take "
                f"{self.folded_bytes} bytes already"
            )
        return tensor

    @property
    def _allowed_bytes(self) -> int:
        return FOLD_BYTES + 4 * self.given_bytes

    def _known(self, array: np.ndarray, name: str = "") -> Tensor:
        tensor = Tensor(name or self.wish, dtype_of(array), array.shape)
        self.constants[tensor] = array
        return tensor

    def value(self, tensor: Tensor) -> np.ndarray | None:
        """The array of a constant, None for any other tensor."""
        return self.constants.get(tensor)

    def small(self, *tensors: Tensor) -> list[np.ndarray] | None:
        """The arrays of constants of few elements, such as shapes; else None.

        Moving their elements at once is quicker than a definition that says how: models compute
        shapes with hundreds of nodes, anew for each size of the call's arrays. Of what is traced,
        any are: whatever is moved then is moved again for each size.
        """
        known = [self.constants[t] for t in tensors if t in self.constants]
        most = SMALL if self.tape is None else FOLD_LIMIT
        few = len(known) == len(tensors) and sum(a.size for a in known) <= most
        return known if few and all(a.size for a in known) else None

    def emit(
        self,
        compute: Compute,
        inputs: Sequence[Tensor],
        shape: Sequence[int] | None = None,
        attributes: Mapping[str, object] | None = None,
        fold: bool = True,
    ) -> Tensor:
        """The output of a new operator, or a constant when everything it reads is one.

        Parameters
        ----------
        compute : Compute
            The definition.
        inputs : sequence of Tensor
            What the definition's inputs stand for, one each, none twice.
        shape : sequence of int, optional
            Shape of the output where it is not that of the definition's (rank 0).
        attributes : dict, optional
            What a reader should know.
        fold : bool
            False keeps an operator on constants, for rules that look for it.
        """
        kind = compute.output.tensor
        extents = tuple(kind.extents if shape is None else shape)
        # the last operator of a node gets the name the model has for it, see `name`
        output = Tensor(f"{self.wish}.{compute.name}", kind.dtype, extents)
        # a definition over an empty reduction reads nothing
        used = tuple(inputs) if compute.inputs else ()
        if any(t.size == 0 for t in used):
            compute, used = _without_empty(compute, used)
        if max(output.size, *extents, 0) >= 2**31:
            raise ModelError(f"{output} has {output.size} elements; kernels count up to 2**31 - 1")
        if output.size == 0:
            return self.constant(np.zeros(extents, kind.dtype.numpy_name))
        known = [self.constants[t] for t in used if t in self.constants]
        if fold and len(known) == len(used) and self._folds(compute, output, known):
            self.folded_bytes += output.size_bytes
            stored = [a.reshape(a.shape or (1,)) for a in known]
            table = dict(zip(compute.inputs, stored, strict=True))
            array = evaluated(self.tape, compute, table)
            if array is None:
                # other sizes of the call's arrays leave large constants as they are
                array = derived(stored, compute, lambda: evaluate(compute, table))
            return self._known(array.reshape(extents))
        shown = tuple((k, str(v)) for k, v in (attributes or {}).items())
        op = Operator(compute.name, used, (output,), compute, self._origin(), shown)
        self.operators.append(op)
        return output

    def _folds(self, compute: Compute, output: Tensor, known: Sequence[np.ndarray]) -> bool:
        """Whether an operator on constants is worth computing now."""
        steps = prod(compute.reduction.extents) if compute.reduction else 1
        return (
            output.size <= max(FOLD_LIMIT, sum(a.size for a in known))
            and (steps == 1 or output.size * steps <= FOLD_STEPS)
            and self.folded_bytes + output.size_bytes <= self._allowed_bytes
        )

    def host(
        self,
        name: str,
        function: HostCall,
        inputs: Sequence[Tensor],
        outputs: Sequence[tuple[DType, Sequence[int]]],
        attributes: Mapping[str, object] | None = None,
        fold: bool = True,
    ) -> tuple[Tensor, ...]:
        """The outputs of a function that runs between kernels, for what no kernel does.

        Parameters
        ----------
        name : str
            What it does, as `Operator.name`.
        function : HostCall
            Arrays to arrays; called at once when everything it reads is known.
        inputs : sequence of Tensor
            What it reads.
        outputs : sequence of (DType, shape)
            What it gives; where that depends on data see `data`.
        attributes : dict, optional
            What a reader should know.
        fold : bool
            False for what gives something else each time.
        """
        kinds = [(kind, tuple(shape)) for kind, shape in outputs]
        made = tuple(Tensor(f"{self.wish}.{name}", kind, shape) for kind, shape in kinds)
        for t in made:
            if t.size >= 2**31:
                raise ModelError(f"{t} has {t.size} elements; arrays have up to 2**31 - 1")
        known = [self.constants[t] for t in inputs if t in self.constants]
        limit = max(FOLD_LIMIT, sum(a.size for a in known))
        if fold and len(known) == len(inputs) and sum(t.size for t in made) <= limit:
            return tuple(map(self.constant, host_arrays(name, _whole(function), known, made)))
        if not any(t.size for t in made):
            return tuple(self.constant(np.zeros(s, k.numpy_name)) for k, s in kinds)
        return self._whole(name, function, inputs, made, attributes)

    def program(
        self,
        name: str,
        program: Program,
        inputs: Sequence[Tensor],
        outputs: Sequence[tuple[DType, Sequence[int]]],
        attributes: Mapping[str, object] | None = None,
    ) -> tuple[Tensor, ...]:
        """The outputs of a kernel of its own; see `host`. None of them may be empty."""
        made = tuple(Tensor(f"{self.wish}.{name}", kind, tuple(shape)) for kind, shape in outputs)
        return self._whole(name, program, inputs, made, attributes)

    def _whole(
        self,
        name: str,
        what: HostCall | Program,
        inputs: Sequence[Tensor],
        outputs: tuple[Tensor, ...],
        attributes: Mapping[str, object] | None,
    ) -> tuple[Tensor, ...]:
        shown = tuple((k, str(v)) for k, v in (attributes or {}).items())
        op = Operator(name, tuple(inputs), outputs, None, self._origin(), shown, what)
        self.operators.append(op)
        return outputs

    def data(self, function: HostCall, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The outputs of a function whose shapes depend on what it reads, such as NonZero.

        Everything before it has to run before the import can go on: a row has to return what
        this gives as the outputs of its node, unchanged.

        Raises
        ------
        NeedsHost
            When something it reads is not known.
        """
        if any(t not in self.constants for t in inputs):
            raise NeedsHost(function, tuple(inputs))
        return tuple(map(self.constant, _whole(function)(*(self.constants[t] for t in inputs))))

    def name(self, tensor: Tensor, name: str) -> Tensor:
        """`tensor` under another name, if it was made just now or is a constant."""
        if tensor in self.constants:
            # whoever holds it under its old name keeps that one
            return self._known(self.constants[tensor], name)
        if not self.operators or self.operators[-1].outputs != (tensor,):
            return tensor
        named = replace(tensor, name=name)
        self.operators[-1] = replace(self.operators[-1], outputs=(named,))
        return named

    def _origin(self) -> tuple[str, ...]:
        return (self.origin,) if self.origin else ()


def _whole(function: HostCall) -> HostCall:
    """A host call that is traced as one where it gets traced arrays."""

    def call(*arrays: Any) -> Sequence[Any]:
        if traced(arrays) and not bound(function):
            return computed(function, *arrays)
        return function(*arrays)

    return call


def host_arrays(
    name: str, function: HostCall, arrays: Sequence[np.ndarray], outputs: Sequence[Tensor]
) -> list[np.ndarray]:
    """What a host call gives, held against what was said of it."""
    found = [computed(np.asarray, a) for a in function(*arrays)]
    assert len(found) == len(outputs), f"{name} gives {len(found)} arrays, not {len(outputs)}"
    for array, t in zip(found, outputs, strict=True):
        fits = array.shape == t.extents and array.dtype.name == t.dtype.numpy_name
        assert fits, f"{name} gives {array.dtype}{list(array.shape)} for {t}"
    return found


def _without_empty(
    compute: Compute, inputs: Sequence[Tensor]
) -> tuple[Compute, tuple[Tensor, ...]]:
    """A definition that does not read tensors without elements: no index of theirs can occur."""
    pairs = list(zip(compute.inputs, inputs, strict=True))
    empty = {var for var, tensor in pairs if tensor.size == 0}
    bare = rewrite(
        compute, lambda n: const(0, n.type) if isinstance(n, Load) and n.tensor in empty else None
    )
    kept = tuple(var for var, _ in pairs if var not in empty)
    inverse = tuple((var, m) for var, m in bare.inverse if var not in empty)
    return replace(bare, inputs=kept, inverse=inverse), tuple(t for t in inputs if t.size)


def dtype_of(array: np.ndarray) -> DType:
    """The number type of an array.

    Raises
    ------
    ModelError
        When kernels do not have it.
    """
    kind = _named(array.dtype)
    if kind is None:
        raise ModelError(f"arrays of {array.dtype} are not supported")
    return kind


@lru_cache
def _named(dtype: np.dtype[Any]) -> DType | None:
    found = (k for k in (*types.SCALARS.values(), text) if k.numpy_name == dtype.name)
    return next(found, None)
