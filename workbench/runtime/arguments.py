"""The arguments of a call against the parameters of a kernel: shapes bound, mistakes in words."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.errors import LaunchError
from workbench.base.lazy import lazy
from workbench.base.span import Span
from workbench.ir.types import Dim, DType, TensorType

np = lazy("numpy")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a kernel says of one of its arguments.

    Attributes
    ----------
    name : str
        As in the script.
    type : DType or TensorType
        A scalar's type, or a tensor's; extents may be named.
    written : bool
        Whether the kernel stores to it.
    align_bytes : int
        What the address must be a multiple of, 0 for the size of an element [byte].
    span : Span or None
        Where it is declared.
    """

    name: str
    type: DType | TensorType
    written: bool = False
    align_bytes: int = 0
    span: Span | None = None


def on_gpu(arg: object) -> bool:
    """Whether `arg` is an array in the memory of a GPU."""
    return hasattr(arg, "__cuda_array_interface__")


def count(kernel: str, params: Sequence[Parameter], args: Sequence[object]) -> None:
    """Raise LaunchError when there are too many or too few arguments."""
    if len(args) != len(params):
        names = ", ".join(p.name for p in params)
        plural = "" if len(params) == 1 else "s"
        raise LaunchError(
            f"{kernel} takes {len(params)} argument{plural} ({names}), got {len(args)}"
        )


def in_order(
    kernel: str, params: Sequence[Parameter], args: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """All arguments in the order of the parameters, those given by name at their places.

    Raises
    ------
    LaunchError
        When a name is no parameter's, is given twice, or one is missing.
    """
    names = [p.name for p in params]
    for name in named:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            raise LaunchError(
                f"{kernel} has no argument {name}; it takes {', '.join(names) or 'none'}",
                hint=f"did you mean {close[0]}?" if close else None,
            )
        if name in names[: len(args)]:
            raise LaunchError(f"{kernel} got its argument {name} twice")
    if missing := [name for name in names[len(args) :] if name not in named]:
        raise LaunchError(f"{kernel} is called without {', '.join(missing)}")
    return (*args, *(named[name] for name in names[len(args) :]))


def bind(kernel: str, params: Sequence[Parameter], args: Sequence[object]) -> dict[str, int]:
    """The named extents, found in the shapes of the arguments.

    Raises
    ------
    LaunchError
        When the number of arguments, a rank or a fixed extent is wrong, or when two arguments
        give one name two values.
    """
    count(kernel, params, args)
    found: dict[str, tuple[int, str]] = {}
    for param, arg in zip(params, args, strict=True):
        if not isinstance(param.type, TensorType):
            continue
        shape = getattr(arg, "shape", None)
        if shape is None or len(shape) != len(param.type.shape):
            raise _expected(param, arg)
        for axis, (extent, actual) in enumerate(zip(param.type.shape, shape, strict=True)):
            if not isinstance(extent, Dim):
                continue
            place = f"axis {axis} of {param.name}"
            value, first = found.setdefault(extent.name, (int(actual), place))
            if value != actual:
                raise LaunchError(
                    f"{extent} is {value} in {first}, but {actual} in {place}", span=param.span
                )
    return {name: value for name, (value, _) in found.items()}


def check(
    kernel: str, params: Sequence[Parameter], args: Sequence[Any], *, gpu: bool = False
) -> None:
    """Raise LaunchError unless each argument fits its parameter, whose extents are numbers.

    Parameters
    ----------
    kernel : str
        Its name.
    params : sequence of Parameter
        In the order of the call.
    args : sequence
        Arrays, C-contiguous and of exactly the type and shape, and numbers.
    gpu : bool
        Whether the arrays must lie in the memory of a GPU, else in that of the host.
    """
    count(kernel, params, args)
    spans: list[tuple[int, int, Parameter]] = []
    written = False
    for param, arg in zip(params, args, strict=True):
        if isinstance(param.type, TensorType):
            start = _check_array(param, param.type, arg, gpu)
            spans.append((start, start + int(arg.nbytes), param))
            written = written or param.written
        else:
            _check_scalar(param, param.type, arg)
    if written and len(spans) > 1:
        _check_overlap(spans)


def _check_array(param: Parameter, kind: TensorType, arg: Any, gpu: bool) -> int:
    """Check one array; gives its address."""
    device = not isinstance(arg, np.ndarray) and on_gpu(arg)
    if device != gpu or not (device or isinstance(arg, np.ndarray)):
        raise _misplaced(param, arg, gpu)
    # only what is no plain array is asked for a mask: the question loads numpy.ma, 10 ms
    if type(arg) is not np.ndarray and isinstance(arg, np.ma.MaskedArray):
        raise LaunchError(
            f"argument {param.name}: kernels do not see the mask of a masked array",
            span=param.span,
            hint=f"pass {param.name}.filled(0), or the mask as an array of its own",
        )
    if arg.shape != kind.shape or not _same_type(arg.dtype, kind.dtype):
        raise _expected(param, arg)
    flags = arg.flags
    if not flags.c_contiguous:
        raise LaunchError(
            f"argument {param.name}: expected {_what(param)} in C order without gaps, "
            f"got strides {tuple(arg.strides)} [byte]",
            span=param.span,
            hint=f"pass {_module(arg)}.ascontiguousarray({param.name})",
        )
    address: int = arg.data.ptr if device else arg.__array_interface__["data"][0]
    align = param.align_bytes or kind.dtype.size_bytes
    if address % align:
        raise LaunchError(
            f"argument {param.name}: {kernel_access(align)} needs an address that is a multiple of "
            f"{align} bytes, got one {address % align} bytes past",
            span=param.span,
            hint=f"pass {param.name}.copy()",
        )
    if param.written and not device and not flags.writeable:
        raise LaunchError(
            f"argument {param.name} is read-only, and the kernel writes it",
            span=param.span,
            hint=f"pass {param.name}.copy()",
        )
    return address


def _same_type(found: Any, kind: DType) -> bool:
    if kind.scalar == "bf16":  # NumPy itself has none; that of ml_dtypes goes by its name
        return found.name == "bfloat16"
    return found == _numpy_dtype(kind)


@functools.cache
def _numpy_dtype(kind: DType) -> Any:
    return np.dtype(kind.numpy_name)


def kernel_access(align: int) -> str:
    """What needs an alignment of `align` bytes, in words."""
    return f"an access of {align} bytes at once" if align > 8 else "the element type"


def _check_scalar(param: Parameter, kind: DType, arg: Any) -> None:
    fits = {
        "f": (float, int, np.floating, np.integer),
        "i": (int, np.integer),
        "u": (int, np.integer),
        "b": (bool, np.bool_),
    }[kind.kind]
    half = type(arg).__name__ == "bfloat16"  # ml_dtypes' scalar is no np.floating
    is_bool = isinstance(arg, bool | np.bool_)
    if not (isinstance(arg, fits) or (half and kind.is_float)) or (is_bool and kind.kind != "b"):
        hint = f"pass int({param.name})" if kind.is_int and isinstance(arg, float) else None
        raise LaunchError(
            f"argument {param.name}: expected {_article(kind)}, got {_got(arg)}",
            span=param.span,
            hint=hint,
        )
    if kind.is_int:
        low, high = kind.bounds
        if not low <= int(arg) <= high:
            raise LaunchError(
                f"argument {param.name}: {int(arg)} does not fit in {kind} ({low} to {high})",
                span=param.span,
            )


def _check_overlap(spans: list[tuple[int, int, Parameter]]) -> None:
    # The compiled code takes it that what it writes is seen through one parameter only.
    spans.sort(key=lambda s: s[0])
    furthest = spans[0]
    for each in spans[1:]:
        one, other = furthest[2], each[2]
        if each[0] < furthest[1] and (one.written or other.written):
            first, second = (one, other) if one.written else (other, one)
            raise LaunchError(
                f"arguments {first.name} and {second.name} share memory, and the kernel writes "
                f"{first.name}",
                span=first.span,
                hint=f"pass {second.name}.copy()",
            )
        if each[1] > furthest[1]:
            furthest = each


def _what(param: Parameter) -> str:
    return str(param.type)


def _article(kind: DType) -> str:
    noun = {"f": "a float", "i": "an integer", "u": "an integer", "b": "a bool"}[kind.kind]
    return f"{noun} ({kind})" if kind.kind != "b" else noun


def _module(arg: object) -> str:
    return "cupy" if on_gpu(arg) else "np"


def _got(arg: Any) -> str:
    if hasattr(arg, "dtype") and hasattr(arg, "shape"):
        order = "" if arg.dtype.isnative else ", big-endian" if arg.dtype.byteorder == ">" else ""
        return f"{arg.dtype.name}[{', '.join(map(str, arg.shape))}]{order}"
    if isinstance(arg, bool | int | float):
        return f"{type(arg).__name__} {arg}"
    return type(arg).__name__


def _expected(param: Parameter, arg: Any) -> LaunchError:
    message = f"argument {param.name}: expected {_what(param)}, got {_got(arg)}"
    return LaunchError(message, span=param.span, hint=_remedy(param, arg))


def _remedy(param: Parameter, arg: Any) -> str | None:
    kind = param.type
    assert isinstance(kind, TensorType)
    np_type = _numpy_type(kind.dtype, _module(arg))
    if not hasattr(arg, "dtype"):
        return f"pass np.asarray({param.name}, dtype={np_type})"
    if arg.dtype.name != kind.dtype.numpy_name or not arg.dtype.isnative:
        return f"pass {param.name}.astype({np_type})"
    if all(isinstance(e, int) for e in kind.shape) and math.prod(arg.shape) == math.prod(
        kind.extents
    ):
        return f"pass {param.name}.reshape{kind.extents}"
    return None


def _numpy_type(kind: DType, module: str) -> str:
    if kind.scalar == "bf16":
        return "ml_dtypes.bfloat16"
    return f"{module}.{'bool_' if kind.kind == 'b' else kind.numpy_name}"


def _misplaced(param: Parameter, arg: Any, gpu: bool) -> LaunchError:
    if not (on_gpu(arg) or isinstance(arg, np.ndarray)):
        return _expected(param, arg)
    place, other = ("GPU", "NumPy") if gpu else ("CPU", "CuPy")
    return LaunchError(
        f"argument {param.name}: this kernel runs on the {place}, got a {other} array",
        span=param.span,
        hint=f"pass cupy.asarray({param.name})" if gpu else f"pass cupy.asnumpy({param.name})",
    )


def parameters(params: Sequence[Parameter], dims: Mapping[str, int]) -> tuple[Parameter, ...]:
    """The parameters with named extents replaced by their numbers."""
    bound: list[Parameter] = []
    for p in params:
        kind = p.type
        if isinstance(kind, TensorType):
            shape = tuple(dims[e.name] if isinstance(e, Dim) else e for e in kind.shape)
            kind = TensorType(kind.dtype, shape, kind.scope, kind.layout)
        bound.append(Parameter(p.name, kind, p.written, p.align_bytes, p.span))
    return tuple(bound)
