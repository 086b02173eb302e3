"""The algebra of task mappings and layouts: who does what, in which order, and where it lies.

What lives here
    task       TaskMapping: shape, workers, tasks, table, composition, comparison, nest
    primitive  spatial, repeat, column_spatial, column_repeat
    auto       auto_map, predicated_auto_map
    text       parse_mapping, parse_layout
    layout     row_major, column_major, strided, local, swizzle: from an index to an address
    factor     what a mapping is made of, as plain data, and its text
    make       factors from what a person wrote, checked
    check      the checks, each naming the argument and the number
    walk       the tasks of one worker, by the definition
    table      the tasks of all workers as an array
    nest       a mapping as loops, indices and guards: what the compiler and the screens read
    lower      from factors to a nest
    recover    digits behind the table of a user's function
    merge      the smallest nest of the same meaning
    equality   one way to write each function; comparison and first difference

May import: base. Does not know the IR.
Start reading: factor, then task, then nest.
Add one more: a new kind of factor is a frozen dataclass in factor (shape, workers, text); the type
checker then names the places that must know it: walk and table (its meaning), lower (its nest).
The meaning is told twice on purpose: tests hold nest and table against walk.
"""

from workbench.mapping.auto import auto_map, predicated_auto_map
from workbench.mapping.equality import Comparison
from workbench.mapping.layout import Layout, Piece, Swizzle, column_major, local, row_major, strided
from workbench.mapping.nest import NO_DIM, WORKER, Digit, Guard, Lookup, Loop, Nest, Term
from workbench.mapping.primitive import column_repeat, column_spatial, repeat, spatial
from workbench.mapping.task import TaskMapping
from workbench.mapping.text import parse_layout, parse_mapping

__all__ = [
    "NO_DIM",
    "WORKER",
    "Comparison",
    "Digit",
    "Guard",
    "Layout",
    "Lookup",
    "Loop",
    "Nest",
    "Piece",
    "Swizzle",
    "TaskMapping",
    "Term",
    "auto_map",
    "canonical",
    "column_major",
    "column_repeat",
    "column_spatial",
    "local",
    "parse_layout",
    "parse_mapping",
    "predicated_auto_map",
    "repeat",
    "row_major",
    "same_as",
    "spatial",
    "strided",
]


def canonical(mapping: TaskMapping) -> TaskMapping:
    """The canonical form; see :meth:`TaskMapping.canonical`."""
    return mapping.canonical()


def same_as(left: TaskMapping, right: TaskMapping) -> Comparison:
    """Whether two mappings are the same function; see :meth:`TaskMapping.same_as`."""
    return left.same_as(right)
