"""Runs modules on the CPU target and beside it on the interpreter."""

from __future__ import annotations

from functools import cache

import numpy as np

from workbench import interp
from workbench.codegen.llvm import generate
from workbench.ir.module import Module
from workbench.ir.parse import parse
from workbench.ir.types import TensorType
from workbench.ir.verify import verify
from workbench.runtime import jit
from workbench.runtime.cpu_launch import CpuLauncher


def module_of(text: str) -> Module:
    module = parse("level lowered\n\n" + text)
    verify(module)
    return module


@cache
def compiled(text: str, lanes: int = 0):
    module = module_of(text)
    return module, launcher(module, lanes)


def launcher(module: Module, lanes: int = 0, threads: int | None = 1) -> CpuLauncher:
    host = jit.host()  # as kernels are made for it, unless a test asks for a number of lanes
    source = (
        generate(module, lanes=lanes)
        if lanes
        else generate(module, lanes=host.lanes, extras=host.extras)
    )
    kernel = module.kernel
    return CpuLauncher(jit.compile(source), kernel.launch, [p.type for p in kernel.params], threads)


def copies(module: Module, args):
    pairs = zip(module.kernel.params, args, strict=True)
    return [np.array(a) if isinstance(p.type, TensorType) else a for p, a in pairs]


def run(text: str, *args, lanes: int = 0):
    """The arguments after a run on the CPU."""
    module, launch = compiled(text, lanes)
    mine = copies(module, args)
    launch(*mine)
    return mine


def interpreted(module: Module, *args):
    """The arguments after a run of the interpreter, which must find no fault."""
    theirs = copies(module, args)
    report = interp.run(module, theirs)
    assert not report.faults, report.faults
    return theirs


def same(text: str, *args, lanes: int = 0, exact: bool = True, **tolerance):
    """Run on both; compare every array; gives the CPU's."""
    module, _ = compiled(text, lanes)
    mine, theirs = run(text, *args, lanes=lanes), interpreted(module, *args)
    for a, b in zip(mine, theirs, strict=True):
        if isinstance(a, np.ndarray):
            # numpy does not know the NaNs of bfloat16
            one, other = (x.astype("f4") if x.dtype.name == "bfloat16" else x for x in (a, b))
            if exact:
                np.testing.assert_array_equal(one, other)
            else:
                np.testing.assert_allclose(one.astype("f8"), other.astype("f8"), **tolerance)
    return mine
