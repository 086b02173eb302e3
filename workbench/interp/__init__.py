"""The interpreter: runs a module at any level in numpy and says what is wrong with it.

All threads of several blocks go through the kernel in lockstep: a value is an array with one
entry per thread, control flow is a mask. Slow, exact, and the oracle for every other target.

What lives here
    launch      what callers use: arguments, blocks, the report
    machine     the state of the threads that run together
    statements  what each statement does: control flow, masks
    expressions what each expression is worth
    storage     the elements of a tensor
    memory      tensors: addresses, bounds, loads and stores
    atomics     read-modify-write of tensor elements
    values      operators and casts on arrays, exact in every number type
    intrinsics  one rule for every intrinsic of ir.intrinsic
    shadow      who touched an element last: races
    access      sectors and banks of each access
    report      faults and the report

May import: base, mapping, ir.
Start reading: launch, then machine and statements.
Add one more: an intrinsic is one row in intrinsics; a node is one case in expressions or
statements; a check is a call of `Machine.fault` where it is found.
"""

from workbench.interp.access import Access
from workbench.interp.launch import run
from workbench.interp.report import Fault, Report, raise_on_fault

__all__ = ["Access", "Fault", "Report", "raise_on_fault", "run"]
