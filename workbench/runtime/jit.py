"""LLVM IR to machine code in memory, through llvmlite.

The object code is kept in the disk cache under everything that shaped it: the text, LLVM's
version, the processor and its features.
"""

from __future__ import annotations

import itertools
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.base.errors import BuildError
from workbench.base.lazy import lazy
from workbench.runtime.cache import Cache, key
from workbench.runtime.half import FUNCTIONS

if TYPE_CHECKING:
    import llvmlite
else:
    llvmlite = lazy("llvmlite")

_REVISION = "3"  # of the passes below; counts in the key of the cache

# llvmlite's compiler state is global: one compilation at a time
_LOCK = threading.Lock()
_NUMBERS = itertools.count()  # no two objects in memory share a name


class Unit(Protocol):
    """What is compiled: `codegen.source.Source` is one."""

    @property
    def name(self) -> str:
        """The function that a launch calls."""
        ...

    @property
    def text(self) -> str:
        """LLVM IR."""
        ...

    @property
    def scratch_bytes(self) -> int:
        """Scratch memory of each host thread [byte]."""
        ...

    @property
    def straight(self) -> bool:
        """Whether a few passes do: it has no loops of its own, or loops as they should be."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The processor that code is made for.

    Attributes
    ----------
    cpu : str
        LLVM's name of it.
    features : str
        LLVM's list of what it has.
    lanes : int
        Elements of 32 bits in its vectors: 16 with AVX-512, 8 with AVX, else 4.
    extras : frozenset of str
        What else it does in such vectors: ``vnni`` multiplies bytes by fours, ``scalef``
        multiplies by powers of two.
    version : str
        Of LLVM and llvmlite.
    level1_bytes : int
        Of a core's first-level data cache; where the system does not tell, a small one [byte].
    """

    cpu: str
    features: str
    lanes: int
    extras: frozenset[str]
    version: str
    level1_bytes: int


@once
def host() -> Host:
    """What code is made for here.

    Raises
    ------
    BuildError
        When llvmlite is not installed.
    """
    binding = _binding()
    features = binding.get_host_cpu_features()
    has = {name for name, on in dict(features).items() if on}
    lanes = (
        16 if {"avx512f", "avx512vl", "avx512bw", "avx512dq"} <= has else 8 if "avx2" in has else 4
    )
    number = ".".join(map(str, binding.llvm_version_info))
    version = f"LLVM {number}, llvmlite {llvmlite.__version__}"
    known = {"vnni": "avx512vnni", "scalef": "avx512f"} if lanes == 16 else {"vnni": "avxvnni"}
    extras = frozenset(ours for ours, theirs in known.items() if theirs in has)
    name = binding.get_host_cpu_name()
    return Host(name, features.flatten(), lanes, extras, version, _level1_bytes())


def _level1_bytes() -> int:
    try:  # what Linux says of the first cache, such as 48K
        size = Path("/sys/devices/system/cpu/cpu0/cache/index0/size").read_text("ascii")
        return int(size.strip().removesuffix("K")) * 1024
    except (OSError, ValueError):
        return 32 * 1024


@once
def _binding() -> Any:
    try:
        from llvmlite import binding
    except ImportError as error:
        raise BuildError(
            "llvmlite is not installed, so nothing can be compiled for the CPU",
            hint="python -m pip install llvmlite",
        ) from error
    binding.initialize_native_target()
    return binding


def _machine() -> Any:
    here = host()
    _binding().initialize_native_asmprinter()
    target = _binding().Target.from_default_triple()
    # position-independent: an object from the cache may be loaded anywhere
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=2, reloc="pic", codemodel="jitdefault", jit=True
    )


@once
def _shared_machine() -> Any:
    return _machine()


@once
def _linker() -> Any:
    """LLVM's linker in memory, one for all kernels: making it takes longer than using it."""
    return _binding().create_lljit_compiler(_shared_machine(), suppress_errors=True)


def _needs_half(unit: Unit) -> bool:
    """Whether LLVM would call functions that are nowhere: x86 got these conversions with F16C."""
    features = host().features.split(",")
    x86 = platform.machine().lower() in ("x86_64", "amd64", "x86", "i686")
    return x86 and "+f16c" not in features and " half" in unit.text


def _optimised(unit: Unit) -> Any:
    """The LLVM module after LLVM's passes."""
    binding = _binding()
    try:
        module = binding.parse_assembly(unit.text + (FUNCTIONS if _needs_half(unit) else ""))
    except RuntimeError as error:
        raise BuildError(
            f"LLVM does not take the code of {unit.name}; this is a fault of kernel-workbench",
            log=str(error),
        ) from error
    machine = _shared_machine()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    (_few if unit.straight else _all)(binding, module, machine)
    return module


def _all(binding: Any, module: Any, machine: Any) -> None:
    """LLVM's own choice of passes."""
    options = binding.create_pipeline_tuning_options(speed_level=2)
    # lanes are vectors already
    options.loop_vectorization = options.slp_vectorization = options.loop_interleaving = False
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def _few(binding: Any, module: Any, machine: Any) -> None:
    """What straight code needs: it runs as fast, and is compiled in a third of the time."""
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(1))
    passes = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()  # functions that are inlined everywhere
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, builder)


class CpuBinary:
    """Machine code of one kernel for this processor.

    Attributes
    ----------
    name : str
        The function that a launch calls.
    data : bytes
        Object file.
    scratch_bytes : int
        Scratch memory of each host thread [byte].
    ms : float
        What compiling it took, or reading it from the cache [ms].
    unit : callable
        Gives the text that it was made from, when its listings are asked for.
    """

    def __init__(
        self, name: str, data: bytes, scratch_bytes: int, ms: float, unit: Callable[[], Unit]
    ) -> None:
        self.name = name
        self.data = data
        self.scratch_bytes = scratch_bytes
        self.ms = ms
        self._unit = unit
        self._linked: Any = None
        self._lock = threading.Lock()

    def address(self) -> int:
        """Where the function lies in memory; loads the object on first use."""
        with self._lock:
            if self._linked is None:
                self._linked = _linked(self.name, self.data)
            return self._linked[self.name]

    def ir(self) -> str:
        """LLVM IR after LLVM's passes."""
        unit = self._unit()
        with _LOCK:
            return str(_optimised(unit))

    def asm(self) -> str:
        """Assembly text."""
        unit = self._unit()
        with _LOCK:
            return _shared_machine().emit_assembly(_optimised(unit))


def _linked(name: str, data: bytes) -> Any:
    """An object file in memory, as long as the result lives; gives addresses by name."""
    library = _binding().JITLibraryBuilder().add_object_img(data).export_symbol(name)
    with _LOCK:
        # what a kernel calls, as tanh of f64, is in this process
        return library.add_current_process().link(_linker(), f"kernel {next(_NUMBERS)}")


def compile(unit: Unit, *, cache: Cache | None = None) -> CpuBinary:
    """Compile LLVM IR for this processor.

    Parameters
    ----------
    unit : Source
        Of `codegen.llvm`.
    cache : Cache, optional
        Where object code is kept.

    Raises
    ------
    BuildError
        When llvmlite is missing, or LLVM refuses the text.
    """
    start = time.perf_counter()

    def build() -> bytes:
        with _LOCK:
            return _shared_machine().emit_object(_optimised(unit))

    data = _kept(unit, cache, build) if cache else build()
    ms = (time.perf_counter() - start) * 1000
    return CpuBinary(unit.name, data, unit.scratch_bytes, ms, lambda: unit)


def environment() -> tuple[str, ...]:
    """What shapes machine code besides the text: LLVM, the processor, the passes here."""
    here = host()
    return here.version, here.cpu, here.features, platform.machine(), _REVISION


def _kept(unit: Unit, cache: Cache, build: Callable[[], bytes]) -> bytes:
    return cache.get_or_build(key(unit.text, *environment()), build, "object")
