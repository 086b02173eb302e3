"""From a kernel to something that runs: every stage kept, every mistake of a call in words.

What lives here
    program    Program, what `@script` makes: bound to shapes at the call, compiled once for each
    kernel     Kernel: call, inspect, time
    build      a Module to a Kernel, for any target
    lowering   the passes over a module, each kept as a stage, done when first looked at
    content    what machine code is found by on the disk: the module's text and this compiler
    backend    what the targets have in common
    cpu        the CPU target: LLVM, compiled in memory
    cuda       the CUDA target: NVRTC, CuPy where there is a GPU
    checked    the interp target: every access checked, the first faults raised
    stages     the named artifacts of one compilation, ready for a screen
    occupancy  how many blocks share a multiprocessor, and what bounds them

May import: base … runtime; no driver and no compiler, those are in runtime.
Start reading: build, then kernel.
Add one more: a target is a module with a Backend, and its line in build.
"""

from workbench.driver.build import compile_module
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program, interpret, script

__all__ = ["Kernel", "Program", "compile_module", "interpret", "script"]
