"""CUDA C++ as a person typed it: compiled by NVRTC, each complaint at its line and column."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.errors import BuildError, LaunchError
from workbench.base.lazy import lazy
from workbench.driver.build import default_cache
from workbench.driver.cuda import DEFAULT_ARCH
from workbench.ir.module import Launch
from workbench.ir.types import TensorType, f32
from workbench.runtime import nvrtc, sass
from workbench.runtime.gpu_launch import GpuLauncher, device_arch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.runtime.nvrtc import Cubin, Resources

np = lazy("numpy")

_COMPLAINT = re.compile(r"^\S*\((\d+)\): ((?:catastrophic )?error|warning)\b[^:]*:\s*(.*)$")
_ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(([^)]*)\)((?:\s*\.\w+\s+[\d, ]+)*)")
_PARAM = re.compile(r"\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)\s+(?:\.ptr\s)?")
_BLOCK = re.compile(r"\.(?:maxntid|reqntid)\s+([\d, ]+)")
_NUMBER = {
    "u8": "int8", "u16": "int16", "u32": "int32", "u64": "int64", "f32": "float32",
    "f64": "float64", "s32": "int32", "s64": "int64", "b32": "int32", "b64": "int64",
}  # fmt: skip
_PASSED = TensorType(f32, (1,))  # the launcher hands arrays, and numbers of a fixed size, on as is


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the compiler says of a place.

    Attributes
    ----------
    line, column : int
        Of the text, from 1; column 0 where it names none.
    kind : str
        ``error`` or ``warning``.
    code : str
        The line of the text.
    """

    line: int
    column: int
    kind: str
    message: str
    code: str


def complaints(log: str, text: str) -> tuple[Complaint, ...]:
    """The errors and warnings in NVRTC's log, errors first, each in the order of the log.

    Examples
    --------
    >>> log = "k.cu(1): error: b is undefined", "  a = b;", "      ^"
    >>> [(c.line, c.column, c.message) for c in complaints(chr(10).join(log), "a = b;")]
    [(1, 5, 'b is undefined')]
    """
    rows, code = log.splitlines(), text.splitlines()
    found: list[Complaint] = []
    for number, row in enumerate(rows):
        match = _COMPLAINT.match(row)
        if match is None:
            continue
        line, column = int(match[1]), 0
        for below in rows[number + 1 : number + 4]:
            if below.strip() == "^":
                column = below.index("^") - 1  # the log sets the line two blanks in
                break
        kind = "warning" if match[2] == "warning" else "error"
        said = code[line - 1] if line <= len(code) else ""
        found.append(Complaint(line, max(0, column), kind, match[3], said))
    return tuple(sorted(found, key=lambda each: each.kind != "error"))


@dataclass(frozen=True, slots=True)
class Entry:
    """A kernel in a source: its name, the PTX types of its parameters, its block if it says one."""

    name: str
    params: tuple[str, ...]
    block: tuple[int, ...] = ()


def entries(ptx: str) -> tuple[Entry, ...]:
    """The kernels of a PTX text, in its order."""
    found: list[Entry] = []
    for match in _ENTRY.finditer(ptx):
        block = _BLOCK.search(match[3])
        extents = tuple(int(each) for each in block[1].split(",")) if block else ()
        found.append(Entry(match[1], tuple(_PARAM.findall(match[2])), extents))
    return tuple(found)


class RawKernel:
    """A kernel of CUDA C++ that a person wrote.

    Parameters
    ----------
    text : str
        The source, without headers.
    entry : str
        Name of the kernel; the only one of the source when empty.
    arch : str
        ``sm_90a`` …; that of this machine's GPU, else the default, when empty.
    alone : bool
        Whether the only kernel of a source may have another name than `entry`.

    Raises
    ------
    BuildError
        When NVRTC is missing or refuses the source, or there is no kernel, or several and none
        is named.

    Examples
    --------
    >>> kernel = RawKernel("__global__ void one(float* a) { a[0] = 1.0f; }", arch="sm_80")
    >>> kernel.name, kernel.entry.params
    ('one', ('u64',))
    """

    def __init__(self, text: str, entry: str = "", arch: str = "", alone: bool = False) -> None:
        self.text = text
        self.arch = arch or device_arch() or DEFAULT_ARCH
        cache = default_cache()
        self.ptx = nvrtc.ptx(text, entry or "cell", self.arch, cache=cache)
        found = entries(self.ptx)
        self.entry = _chosen(found, "" if alone and len(found) == 1 else entry)
        self.name = _short(self.entry.name)
        self.cubin: Cubin = nvrtc.compile(text, self.entry.name, self.arch, cache=cache)
        self.complaints = complaints(self.cubin.log, text)
        self._launchers: dict[Launch, GpuLauncher] = {}

    @property
    def resources(self) -> Resources:
        """What ptxas reports."""
        return self.cubin.resources

    @functools.cached_property
    def sass(self) -> str:
        """Disassembled machine code."""
        return sass.disassemble(self.cubin.data, lines=True)

    def prepare(self, grid: Any, block: Any, *args: Any, shared_bytes: int = 0) -> Any:
        """A launch with these arguments, as a call without any.

        Parameters
        ----------
        grid, block : int or tuple of int
            Extents, x first.
        *args
            CuPy arrays for pointers, numbers for the rest.
        shared_bytes : int
            Shared memory to add [byte].

        Raises
        ------
        LaunchError
            Where there is no GPU, or the arguments do not fit.
        """
        params = self.entry.params
        if len(args) != len(params):
            raise LaunchError(
                f"{self.name} takes {len(params)} arguments ({', '.join(params)}), not {len(args)}",
                hint=f"{self.name}(grid, block, …): grid and block stand before the arguments",
            )
        launch = Launch(_triple("grid", grid), _triple("block", block))
        passed = [_value(self.name, *pair) for pair in enumerate(zip(args, params, strict=True))]
        types = (_PASSED,) * len(args)
        launcher = GpuLauncher(self.cubin.data, self.entry.name, launch, types, shared_bytes)
        return launcher.prepare(passed)

    def __call__(self, grid: Any, block: Any, *args: Any, shared_bytes: int = 0) -> None:
        """Launch it; see :meth:`prepare`."""
        self.prepare(grid, block, *args, shared_bytes=shared_bytes)()

    def __repr__(self) -> str:
        used = self.resources
        return (
            f"RawKernel({self.name}, {self.arch}: {used.registers} registers, "
            f"{used.spill_bytes} B spilled, {used.shared_bytes} B shared)"
        )


def _chosen(found: Sequence[Entry], name: str) -> Entry:
    known = ", ".join(_short(each.name) for each in found)
    named = [each for each in found if name in ("", each.name, _short(each.name))]
    if not found:
        raise BuildError(
            "there is no kernel in this source",
            hint='a kernel is a function with extern "C" __global__ void in front',
        )
    if not named:
        raise BuildError(f"there is no kernel called {name} in this source", hint=f"it has {known}")
    if len(named) > 1:
        raise BuildError(f"this source has several kernels: {known}", hint="name one of them")
    return named[0]


def _short(name: str) -> str:
    """The name as it is written; C++ puts a mark, its length and its types around it."""
    match = re.match(r"_Z(\d+)", name)
    return name[match.end() :][: int(match[1])] if match else name


def _triple(what: str, given: Any) -> tuple[int, int, int]:
    extents = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not 1 <= len(extents) <= 3 or not all(isinstance(e, int) and e > 0 for e in extents):
        raise LaunchError(f"{what} {given!r}: one to three extents from 1", hint=f"{what}=(4, 4)")
    x, y, z = (*extents, 1, 1)[:3]
    return x, y, z


def _value(kernel: str, place: int, pair: tuple[Any, str]) -> Any:
    arg, kind = pair
    if hasattr(arg, "__cuda_array_interface__"):
        return arg
    if kind not in _NUMBER or not isinstance(arg, int | float | np.number):
        raise LaunchError(
            f"argument {place} of {kernel} is a {type(arg).__name__}; it takes {kind}",
            hint="arrays must lie on the GPU: cupy.asarray(a)",
        )
    # PTX does not tell signed from unsigned: the bits are the same.
    bits = int(np.dtype(_NUMBER[kind]).itemsize) * 8
    if _NUMBER[kind].startswith("int"):
        arg = (int(arg) + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    return np.dtype(_NUMBER[kind]).type(arg)
