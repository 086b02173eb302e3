"""Which lines of a kernel are the task loops of which mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.ir.module import Module
from workbench.ir.stmt import ForTask, Stmt
from workbench.ir.traverse import walk
from workbench.view.mapping import mapping_view
from workbench.view.nest import NestView

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.mapping.task import TaskMapping

_MOST_CONSTANTS = 4096
"""Of a nest that a program carries; a mapping given by a function may have more."""


@dataclass(frozen=True, slots=True)
class MappingUse:
    """A mapping, and the lines of its task loops.

    Attributes
    ----------
    mapping, text : str
        In canonical form, and as it is written.
    workers : int
        Of the mapping; a worker beyond them does nothing.
    links : tuple of int
        Line links of its loops and of what is inside.
    nest : NestView or None
        From which the tasks of a worker follow; None where it would need many constants.
    """

    mapping: str
    text: str
    workers: int
    links: tuple[int, ...]
    nest: NestView | None


def uses(kernel: Kernel) -> tuple[MappingUse, ...]:
    """The mappings of a kernel in the order of their first loop."""
    written = next((s.artifact for s in kernel.stages if isinstance(s.artifact, Module)), None)
    found: dict[str, tuple[TaskMapping, set[int]]] = {}
    for node in walk(written) if isinstance(written, Module) else ():
        if isinstance(node, ForTask):
            _, links = found.setdefault(str(node.mapping.canonical()), (node.mapping, set()))
            inside = (each for each in walk(node) if isinstance(each, Stmt))
            links.update(each.span.line for each in inside if each.span)
    return tuple(_use(name, mapping, links) for name, (mapping, links) in found.items())


def _use(canonical: str, mapping: TaskMapping, links: set[int]) -> MappingUse:
    view = mapping_view(mapping)
    nest = view.nest if view.nest is not None and _constants(view.nest) <= _MOST_CONSTANTS else None
    return MappingUse(canonical, str(mapping), mapping.workers, tuple(sorted(links)), nest)


def _constants(nest: NestView) -> int:
    return sum(len(term.table) for terms in nest.index for term in terms)
