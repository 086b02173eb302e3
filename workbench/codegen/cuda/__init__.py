"""Lowered IR as CUDA C++ that is meant to be read: header-free, named and lined as the script.

What lives here
    generate    a module as one source: prelude, tables, functions
    stmt        statements
    expr        expressions, from the leaves up
    scalar      operators on scalars, to the last bit
    vector      short vectors, lane by lane
    cast        conversions between number types
    intrinsics  one rule for each intrinsic
    atomic      atomic updates
    memory      shared memory: where it lies, whether an architecture has so much
    types       names of types, constants
    prelude     small device functions, written only when used
    words       names that CUDA has taken

May import: base, mapping, ir, codegen.clike, codegen.source.
Start reading: generate, then stmt.
Add one more: an intrinsic is a line in intrinsics.RULES.
"""

from __future__ import annotations

from workbench.codegen.cuda.generate import generate
from workbench.codegen.cuda.memory import SharedPlan, shared_plan

__all__ = ["SharedPlan", "generate", "shared_plan"]
