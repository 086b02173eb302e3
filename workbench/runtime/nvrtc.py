"""CUDA C++ to a cubin through NVRTC: needs no GPU, works from several threads at once."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from workbench.base.doc import Line
from workbench.base.errors import BuildError
from workbench.runtime import cache as disk

_INSTALL = 'python -m pip install "kernel-workbench[toolchain]"'
# Instructions know their line, which changes none of them.
OPTIONS = ("--fmad=true", "-lineinfo")
"""What every kernel is compiled with: no flushing of denormals, no fast math."""

_USED = re.compile(r"Used (\d+) registers")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_SHARED = re.compile(r"(\d+) bytes smem")
_CONSTANT = re.compile(r"(\d+) bytes cmem\[(\d+)\]")
_COMPLAINT = re.compile(r"^[^\s(]+\((\d+)\): ((?:catastrophic )?error|warning)\b[^:]*:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Resources:
    """What one thread or block of a compiled kernel takes.

    Attributes
    ----------
    registers : int
        32-bit registers of a thread.
    spill_bytes : int
        Registers that had to go to memory: bytes stored and loaded by a thread.
    stack_bytes : int
        Local memory of a thread [byte].
    shared_bytes : int
        Shared memory of a block, without what a launch adds [byte].
    constant_bytes : int
        Constant memory: tables of the module [byte].
    dynamic_shared_bytes : int
        Shared memory that the launch adds [byte].
    """

    registers: int
    spill_bytes: int = 0
    stack_bytes: int = 0
    shared_bytes: int = 0
    constant_bytes: int = 0
    dynamic_shared_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cubin:
    """Machine code for one architecture.

    Attributes
    ----------
    data : bytes
        The ELF file.
    arch : str
        ``sm_90a`` …
    entry : str
        Name of the kernel in it.
    resources : Resources
        As ptxas reports them.
    log : str
        What the compiler printed.
    ms : float
        How long the compiler, or the cache, took [ms].
    """

    data: bytes
    arch: str
    entry: str
    resources: Resources
    log: str
    ms: float


def version() -> tuple[int, int]:
    """Major and minor version of NVRTC.

    Raises
    ------
    BuildError
        When it is not installed.
    """
    return _version(_library())


def installed() -> bool:
    """Whether NVRTC is here and loads."""
    try:
        version()
    except BuildError:
        return False
    return True


def compile(
    text: str, entry: str, arch: str, *, lines: Sequence[Line] = (), cache: disk.Cache | None = None
) -> Cubin:
    """Compile CUDA C++ for `arch`.

    Parameters
    ----------
    text : str
        Header-free source.
    entry : str
        Name of the kernel whose resources count; it is extern "C".
    arch : str
        ``sm_90a`` …
    lines : sequence of Line
        Where each line of `text` came from, to lead complaints back to the user's source.
    cache : Cache, optional
        Where results are kept.

    Raises
    ------
    BuildError
        When NVRTC is missing, does not know `arch`, or refuses the source.
    """
    start = time.perf_counter()
    library = _library()
    _check_arch(library, arch)
    options = (f"-arch={arch}", *OPTIONS, "--ptxas-options=-v")

    def build() -> bytes:
        data, log = _run(library, text, entry, options, lines, "CUBIN")
        if entry not in log:  # NVRTC's own cache had it, and keeps no log
            data, log = _run(library, text, entry, (*options, "--no-cache"), lines, "CUBIN")
        facts = {"resources": asdict(resources(log, entry)), "log": log}
        head = json.dumps(facts).encode()
        return len(head).to_bytes(8, "little") + head + data

    packed = _cached(library, cache, build, text, entry, options, "cubin")
    size = int.from_bytes(packed[:8], "little")
    facts = json.loads(packed[8 : 8 + size])
    ms = (time.perf_counter() - start) * 1000
    return Cubin(packed[8 + size :], arch, entry, Resources(**facts["resources"]), facts["log"], ms)


def ptx(
    text: str, entry: str, arch: str, *, lines: Sequence[Line] = (), cache: disk.Cache | None = None
) -> str:
    """The PTX of CUDA C++, for reading; raises as :func:`compile` does."""
    library = _library()
    _check_arch(library, arch)
    options = (f"-arch={arch.replace('sm_', 'compute_')}", *OPTIONS)

    def build() -> bytes:
        return _run(library, text, entry, options, lines, "PTX")[0]

    packed = _cached(library, cache, build, text, entry, options, "ptx")
    return packed.rstrip(b"\0").decode()


def resources(log: str, entry: str) -> Resources:
    """What ptxas says of the kernel `entry` in its verbose log.

    Examples
    --------
    >>> log = "Compiling entry function 'k' for 'sm_80': Used 12 registers, 528 bytes smem"
    >>> resources(log, "k").registers, resources(log, "k").shared_bytes
    (12, 528)
    """
    part = log.partition(f"Compiling entry function '{entry}'")[2]
    part = part.partition("Compiling entry function")[0]
    used = _USED.search(part)
    assert used, f"no resources of {entry} in the log:\n{log}"
    stack = _STACK.search(part)
    frame, stores, loads = map(int, stack.groups()) if stack else (0, 0, 0)
    shared = _SHARED.search(part)
    # Bank 3 holds the tables of the module; bank 0 the parameters.
    constant = sum(int(size) for size, bank in _CONSTANT.findall(log) if bank == "3")
    return Resources(
        registers=int(used.group(1)),
        spill_bytes=stores + loads,
        stack_bytes=frame,
        shared_bytes=int(shared.group(1)) if shared else 0,
        constant_bytes=constant,
    )


def _library() -> Any:
    try:
        from cuda.bindings import (
            nvrtc as library,  # pyright: ignore[reportAttributeAccessIssue]  no stubs
        )
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        what = "is not installed" if absent else f"does not load ({error})"
        raise BuildError(
            f"NVRTC, the compiler of CUDA C++, {what}", hint=f"{_INSTALL} brings it"
        ) from None
    try:
        _version(library)
    except (RuntimeError, OSError) as error:  # the bindings load the library at the first call
        first = (str(error).splitlines() or [""])[0]
        raise BuildError(
            f"NVRTC, the compiler of CUDA C++, does not load: {first}", hint=f"{_INSTALL} brings it"
        ) from None
    return library


def _version(library: ModuleType) -> tuple[int, int]:
    status, major, minor = library.nvrtcVersion()
    _checked((status,), "version")
    return major, minor


def _check_arch(library: ModuleType, arch: str) -> None:
    known = _checked(library.nvrtcGetSupportedArchs(), "list of architectures")
    digits = re.sub(r"\D", "", arch)
    if int(digits) not in known:
        listed = ", ".join(f"sm_{n}" for n in known)
        major, minor = _version(library)
        raise BuildError(
            f"NVRTC {major}.{minor} does not compile for {arch}", hint=f"it knows {listed}"
        )


def _cached(
    library: ModuleType,
    cache: disk.Cache | None,
    build: Any,
    text: str,
    entry: str,
    options: Sequence[str],
    kind: str,
) -> bytes:
    if cache is None:
        return build()
    major, minor = _version(library)
    key = disk.key("nvrtc 1", f"{major}.{minor}", entry, *options, text)
    return cache.get_or_build(key, build, kind)


def _run(
    library: Any,
    text: str,
    entry: str,
    options: Sequence[str],
    lines: Sequence[Line],
    artifact: str,
) -> tuple[bytes, str]:
    """Compile; gives the artifact and the log."""
    program = _checked(
        library.nvrtcCreateProgram(text.encode(), f"{entry}.cu".encode(), 0, [], []), "program"
    )
    try:
        flags = [option.encode() for option in options]
        (status,) = library.nvrtcCompileProgram(program, len(flags), flags)
        log = _text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program)
        if status != library.nvrtcResult.NVRTC_SUCCESS:
            raise _refused(entry, log.decode(errors="replace"), str(status.name), lines)
        size_of = getattr(library, f"nvrtcGet{artifact}Size")
        get = getattr(library, f"nvrtcGet{artifact}")
        return _text(size_of, get, program), log.rstrip(b"\0").decode(errors="replace").strip()
    finally:
        library.nvrtcDestroyProgram(program)


def _text(size_of: Any, get: Any, program: Any) -> bytes:
    size = _checked(size_of(program), "size")
    buffer = bytes(size)  # the bindings write into it
    _checked(get(program, buffer), "result")
    return buffer


def _checked(answer: tuple[Any, ...], what: str) -> Any:
    status = answer[0]
    if int(status) != 0:
        raise BuildError(f"NVRTC gives no {what}: {status.name}")
    return answer[1] if len(answer) > 1 else None


def _refused(entry: str, log: str, status: str, lines: Sequence[Line]) -> BuildError:
    """The error for a source that does not compile, at the user's line of its first complaint."""
    span, first = None, ""
    for line in log.splitlines():
        found = _COMPLAINT.match(line)
        if found and found.group(2) != "warning":
            number, first = int(found.group(1)), found.group(3)
            span = lines[number - 1].span if number <= len(lines) else None
            break
    log = log.rstrip("\0").strip()
    message = f"NVRTC refuses {entry}: {first or log.splitlines()[0] if log else status}"
    return BuildError(message, span=span, notes=log.splitlines()[:20], log=log)
