"""LLVM IR for the CPU: threads as the lanes of vectors.

What lives here
    kernel       a module to a Source: the launch, places of tensors, scratch memory
    region       a loop over groups of threads, between two barriers
    stmt         statements of a group, divergence by masks
    jumps        break, continue and return that part the threads
    unroll       loops that are written out
    expr         expressions
    arith        operators; divide, integer division; convert, casts
    place        where tensors lie, and the addresses of lanes
    memory       loads by the pattern of lanes
    store        stores; coalesce, strided ones put together
    private      register tensors that need no memory across barriers
    slices       loops over accumulators, cut to fit the registers; capture, their bodies
    atomic       atomic updates
    warp         warp operations: a group is a warp
    dot          four products of bytes and a sum: VNNI, or exact without it
    math         functions of one thread; approximate, those of f32 as polynomials
    uniform      which values all threads of a block share
    inlining     device functions that wait at a barrier, written out where they are called
    fission      where barriers cut a kernel, and what crosses
    frame        the state of a function under generation
    value        what a group of lanes holds
    emit         LLVM IR as text under construction
May import: base, mapping, ir, codegen.source.
Start reading: value, then kernel.
Add one more: an intrinsic is a row in math.MATH or warp.WARP (dot4 has a file of its own).
"""

from workbench.codegen.llvm.kernel import generate

__all__ = ["generate"]
