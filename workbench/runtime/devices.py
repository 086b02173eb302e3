"""What this machine can do, and what to install for more; works with nothing installed.

Each fact is looked up by itself: what is missing is a :class:`Missing` with the reason and the
remedy, never an exception.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.base.version import __version__

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = lazy("importlib.metadata")  # brings the package for e-mail with it

# Features that decide which code the CPU back end can use; the host has dozens more.
_TELLING_FEATURES = (
    "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512bf16", "avx512fp16",
    "amx-tile", "neon", "fullfp16", "bf16", "sve", "sve2", "i8mm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Missing:
    """A thing that this machine lacks.

    Attributes
    ----------
    reason : str
        What was looked for and not found.
    remedy : str
        What to do to have it; empty when there is nothing to do.
    """

    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor.

    Attributes
    ----------
    name : str
        As its maker names it.
    cores : int
        Logical cores that this process may use.
    arch : str
        ``x86_64``, ``arm64`` …
    """

    name: str
    cores: int
    arch: str


@dataclass(frozen=True, slots=True)
class Llvm:
    """The compiler of the CPU target.

    Attributes
    ----------
    version, llvmlite : str
        Versions of LLVM and of the package that brings it.
    cpu : str
        Name that LLVM gives to this processor.
    features : tuple of str
        Those of its vector features that the code generator cares for.
    vector_bits : int
        Width of its widest plain vector register.
    """

    version: str
    llvmlite: str
    cpu: str
    features: tuple[str, ...]
    vector_bits: int


@dataclass(frozen=True, slots=True)
class Nvrtc:
    """NVIDIA's run-time compiler; needs no GPU.

    Attributes
    ----------
    version : tuple of int
        Major and minor.
    archs : tuple of int
        Compute capabilities that it compiles for, times ten: 90 is sm_90.
    """

    version: tuple[int, int]
    archs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes
    ----------
    name : str
        As its maker names it.
    arch : str
        ``sm_90`` …
    multiprocessors : int
        How many it has.
    memory_bytes : int
        Global memory.
    """

    name: str
    arch: str
    multiprocessors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's driver and its GPUs.

    Attributes
    ----------
    cuda : tuple of int
        Newest CUDA version that it takes, major and minor.
    gpus : tuple of Gpu
        In the driver's order.
    """

    cuda: tuple[int, int]
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A package or program: its version, and its path where it is a program."""

    version: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything `workbench doctor` tells."""

    workbench: str
    python: str
    system: str
    cpu: Cpu
    llvm: Llvm | Missing
    nvrtc: Nvrtc | Missing
    cuobjdump: Tool | Missing
    nvdisasm: Tool | Missing
    driver: Driver | Missing
    cupy: Tool | Missing
    graphviz: Tool | Missing
    onnx: Tool | Missing
    jupyterlab: Tool | Missing


def machine() -> Machine:
    """Facts about this machine, looked up now.

    Examples
    --------
    >>> machine().cpu.cores >= 1
    True
    """
    return Machine(
        workbench=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        cpu=cpu(),
        llvm=llvm(),
        nvrtc=nvrtc(),
        cuobjdump=program("cuobjdump"),
        nvdisasm=program("nvdisasm"),
        driver=driver(),
        cupy=_cupy(),
        graphviz=graphviz(),
        onnx=_package("onnx", "python -m pip install onnx"),
        jupyterlab=_package("jupyterlab", extra("lab")),
    )


def extra(name: str) -> str:
    """The command that brings the packages of the extra `name`.

    Examples
    --------
    >>> extra("lab")
    'python -m pip install ".[lab]"'
    """
    return f'python -m pip install ".[{name}]"'


@functools.cache
def cpu() -> Cpu:
    """The processor of this machine."""
    return Cpu(_cpu_name(), _cores(), platform.machine().replace("AMD64", "x86_64"))


@functools.cache
def llvm() -> Llvm | Missing:
    """LLVM as llvmlite brings it, and what it knows of this processor."""
    try:
        import llvmlite
        from llvmlite import binding
    except (ImportError, OSError) as error:
        return Missing(_reason("llvmlite", error), "python -m pip install llvmlite")
    on = {name for name, has in dict(binding.get_host_cpu_features()).items() if has}
    return Llvm(
        version=".".join(str(part) for part in binding.llvm_version_info),
        llvmlite=llvmlite.__version__,
        cpu=binding.get_host_cpu_name(),
        features=tuple(name for name in _TELLING_FEATURES if name in on),
        vector_bits=512 if "avx512f" in on else 256 if "avx2" in on else 128,
    )


@functools.cache
def nvrtc() -> Nvrtc | Missing:
    """NVRTC, where its library and NVIDIA's Python bindings are installed."""
    if sys.platform == "darwin":
        return Missing("NVIDIA has no NVRTC for macOS")
    try:
        from cuda.bindings import (
            nvrtc as library,  # pyright: ignore[reportAttributeAccessIssue]  no stubs
        )
    except ImportError as error:
        return Missing(_reason("cuda-bindings", error), extra("toolchain"))
    try:
        _, major, minor = library.nvrtcVersion()
        _, archs = library.nvrtcGetSupportedArchs()
    except (RuntimeError, OSError) as error:  # the bindings load the library at the first call
        return Missing(_reason("NVRTC", error), extra("toolchain"))
    return Nvrtc((major, minor), tuple(archs))


def program(name: str) -> Tool | Missing:
    """A program of the CUDA toolkit (``cuobjdump``, ``nvdisasm``), from its wheel or from PATH."""
    if sys.platform == "darwin":
        return Missing(f"NVIDIA has no {name} for macOS")
    path = None
    try:
        from cuda import pathfinder

        # Older releases know fewer programs, or none; then PATH remains.
        if name in getattr(pathfinder, "SUPPORTED_BINARY_UTILITIES", ()):
            path = pathfinder.find_nvidia_binary_utility(name)
    except ImportError:
        pass
    path = path or shutil.which(name)
    if not path:
        return Missing(f"{name} was not found", extra("toolchain"))
    return Tool(_program_version(path, r"V(\d+\.\d+\.\d+)", "--version"), path)


def driver() -> Driver | Missing:
    """NVIDIA's driver, asked directly, so that no package is needed to see a GPU."""
    try:
        library: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return Missing("no NVIDIA driver on this machine")
    status = library.cuInit(0)
    if status:
        return Missing(f"the NVIDIA driver does not start (cuInit gives {status})")
    version, count = ctypes.c_int(), ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(version)):
        return Missing("the NVIDIA driver does not tell its version")
    library.cuDeviceGetCount(ctypes.byref(count))
    gpus = tuple(_gpu(library, number) for number in range(count.value))
    return Driver((version.value // 1000, version.value % 1000 // 10), gpus)


def graphviz() -> Tool | Missing:
    """Graphviz: ``dot`` from PATH, else the one that pygraphviz brings."""
    path = shutil.which("dot")
    if path:
        return Tool(_program_version(path, r"version (\d+\.\d+\.\d+)", "-V"), path)
    found = _package("pygraphviz", "python -m pip install pygraphviz")
    return Tool(f"in pygraphviz {found.version}") if isinstance(found, Tool) else found


def _cupy() -> Tool | Missing:
    remedy = f"{extra('cuda13')}, with a driver before 580 {extra('cuda12')}"
    for name in ("cupy-cuda13x", "cupy-cuda12x", "cupy"):
        found = _package(name, remedy)
        if isinstance(found, Tool):
            return Tool(f"{found.version} ({name})")
    if isinstance(driver(), Missing):
        return Missing("not installed; it needs an NVIDIA GPU")
    return Missing("CuPy is not installed", remedy)


def _package(name: str, remedy: str) -> Tool | Missing:
    try:
        return Tool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return Missing(f"{name} is not installed", remedy)


def _reason(name: str, error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    absent = isinstance(error, ModuleNotFoundError)
    return f"{name} is not installed" if absent else f"{name} does not load: {first}"


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    found = ""
    if sys.platform == "linux":
        try:
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        found = match.group(1) if match else ""
    elif sys.platform == "darwin":
        found = _output(["sysctl", "-n", "machdep.cpu.brand_string"])
    return found.strip() or platform.processor() or platform.machine() or "unknown processor"


def _program_version(path: str, pattern: str, flag: str) -> str:
    match = re.search(pattern, _output([path, flag]))
    return match.group(1) if match else "of unknown version"


def _output(command: list[str]) -> str:
    """What a program prints; empty when it cannot be run."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _gpu(library: Any, number: int) -> Gpu:
    # Numbers of attributes: cuda.h, CUdevice_attribute.
    multiprocessors, major, minor = (_attribute(library, number, code) for code in (16, 75, 76))
    name = ctypes.create_string_buffer(256)
    library.cuDeviceGetName(name, len(name), number)
    memory = ctypes.c_size_t()
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), number)
    return Gpu(name.value.decode(), f"sm_{major}{minor}", multiprocessors, memory.value)


def _attribute(library: Any, number: int, code: int) -> int:
    value = ctypes.c_int()
    library.cuDeviceGetAttribute(ctypes.byref(value), code, number)
    return value.value
