"""The script front end: a Python function becomes a module of level `script`.

What lives here
    decorator    Script: name, parameters, extents, and its translation
    source       text and tree of a function in a file or a notebook cell; spans
    signature    parameters and their types, from the annotations
    names        the words of the language as objects; `workbench.lang` re-exports them
    scope        names by block, and which of them change
    context      what one translation knows; known values and values of the kernel
    lower_stmt   statements, one rule per kind of syntax
    lower_assign assignments
    lower_loop   for and while
    lower_expr   expressions, one rule per kind of syntax
    lower_call   calls: words, casts, intrinsics, device functions
    lower_memory words about memory and the launch
    operators    Python's operators on values
    place        the element that a load, a store or an atomic is about
    convert      what an assignment converts by itself
    launching    the launch, and whether it has enough workers for a mapping

May import: base, mapping, ir.
Start reading: decorator, then lower_stmt.
Add one more: a kind of syntax is a function and a row in the `_RULES` of lower_stmt or lower_expr;
a word is an object in names, a row in `_WORDS` of lower_call, and a name in `workbench.lang`.
"""

from workbench.script.decorator import Script
from workbench.script.signature import Param

__all__ = ["Param", "Script"]
