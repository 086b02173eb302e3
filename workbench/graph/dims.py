"""Extents that a model leaves open: their names, and values for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index

from workbench.base.errors import ModelError, WorkbenchError
from workbench.base.names import shown
from workbench.graph.tensor import Tensor
from workbench.ir.types import Dim


def bind_dims(inputs: Sequence[Tensor], dims: Mapping[str, int]) -> tuple[Tensor, ...]:
    """The inputs with every Dim replaced by its number.

    Raises
    ------
    ModelError
        For a dim without a value, a value that is no extent, or a name that is no dim.
    """
    names = dim_names(inputs)
    if not isinstance(dims, Mapping):
        raise ModelError(
            f"dims is a dict from names to extents, not {type(dims).__name__}",
            hint=f"pass dims={_example(inputs, names)}",
        )
    unknown = [shown(str(n)) for n in dims if n not in names]
    if unknown:
        raise ModelError(
            f"no input has a dim called {', '.join(unknown)}",
            hint=f"the dims are {', '.join(map(shown, names)) or 'all fixed'}",
        )
    extents = {name: _chosen(name, value) for name, value in dims.items()}
    missing = [n for n in names if n not in dims]
    if missing:
        raise missing_dims(inputs, missing)
    bound = tuple(
        Tensor(
            t.name,
            t.dtype,
            tuple(extents[e.name] if isinstance(e, Dim) else e for e in t.shape or ()),
        )
        for t in inputs
    )
    for t in bound:
        if t.size >= 2**31:
            raise ModelError(f"{t} has {t.size} elements; kernels count up to 2**31 - 1")
    return bound


def _chosen(name: str, value: object) -> int:
    """The extent that a caller gave; also numpy's integers."""
    if hasattr(value, "__index__") and not isinstance(value, bool):
        extent = index(value)  # pyright: ignore[reportArgumentType]
        if extent >= 0:
            return extent
    raise ModelError(f"the dim {shown(name)} cannot be {value!r}; give a whole number from 0")


def dim_names(inputs: Sequence[Tensor]) -> list[str]:
    """Names of the dims of all inputs, each once, in order."""
    found = (e.name for t in inputs for e in t.shape or () if isinstance(e, Dim))
    return list(dict.fromkeys(found))


def missing_dims(inputs: Sequence[Tensor], missing: Sequence[str]) -> WorkbenchError:
    """The error for dims without a value."""
    places = [
        f"{shown(e.name)} is dimension {n} of {shown(t.name)}"
        for t in inputs
        for n, e in enumerate(t.shape or ())
        if isinstance(e, Dim) and e.name in missing
    ]
    noun = "dim has" if len(missing) == 1 else "dims have"
    return ModelError(
        f"the dynamic {noun} no value: {', '.join(map(shown, missing))}",
        hint=f"pass dims={_example(inputs, missing)}, the extents of the arrays you "
        "will call it with",
        notes=places,
    )


def _example(inputs: Sequence[Tensor], names: Sequence[str]) -> str:
    """How the dims are passed: a batch of one as an example, all others left to the reader."""
    first = {t.shape[0].name for t in inputs if t.shape and isinstance(t.shape[0], Dim)}
    inner = {e.name for t in inputs for e in (t.shape or ())[1:] if isinstance(e, Dim)}
    values = ("1" if n in first - inner else "..." for n in names)
    return "{" + ", ".join(f'"{shown(n)}": {v}' for n, v in zip(names, values, strict=True)) + "}"
