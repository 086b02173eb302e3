"""Ground floor: what every other room stands on.

What lives here
    span     where a thing stands in a source text (file or notebook cell)
    errors   WorkbenchError, its kinds, and the one renderer (place, line, caret, hint)
    doc      text built line by line, each line knowing the node and span it came from
    names    identifiers that are safe in C, and text that is safe to show
    lazy     packages that are imported when first used
    version  the version of this distribution

May import: the standard library only.
Start reading: errors.
Add one more: an error kind is a subclass in errors with a docstring that says who raises it.
"""
