"""Rewrites of a whole graph: a visible list of named rules.

Operators on constants are computed when the graph is built (`graph.build`); what is here looks at
several operators at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.graph.blocking import block_channels
from workbench.graph.fold import fold_scales
from workbench.graph.graph import Graph
from workbench.graph.integers import fold_constants, multiply_integers, part_zeros
from workbench.graph.moves import cancel_moves, reading, skip_neutral
from workbench.graph.pack import pack_weights
from workbench.graph.words import multiply_words
from workbench.ir.alike import alike
from workbench.runtime.jit import host

if TYPE_CHECKING:
    from workbench.graph.operator import Operator
    from workbench.graph.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rewrite; it gives the same graph when it finds nothing.

    Attributes
    ----------
    name : str
        As a reader sees it.
    apply : callable
        Graph to graph.
    target : str
        The kind of target it is for; any, when empty.
    """

    name: str
    apply: Callable[[Graph], Graph]
    target: str = ""


def merge_alike(graph: Graph) -> Graph:
    """Operators that do the same to the same tensors are done once."""
    instead: dict[Tensor, Tensor] = {}
    kept: list[Operator] = []
    seen: dict[tuple[Tensor, ...], list[Operator]] = {}
    for each in graph.operators:
        op = reading(each, instead)
        if op.host is not None:
            kept.append(op)
            continue
        rivals = seen.setdefault(op.inputs, [])
        twin = next((r for r in rivals if alike(r.definition, op.definition)), None)
        if twin is None:
            kept.append(op)
            rivals.append(op)
        else:
            instead[op.output] = twin.output
    if not instead:
        return graph
    outputs = tuple(instead.get(t, t) for t in graph.outputs)
    return replace(graph, operators=tuple(kept), outputs=outputs)


def drop_dead(graph: Graph) -> Graph:
    """Operators that no output depends on go."""
    needed = set(graph.outputs)
    kept: list[Operator] = []
    for op in reversed(graph.operators):
        if needed.intersection(op.outputs):
            kept.append(op)
            needed.update(op.inputs)
    if len(kept) == len(graph.operators):
        return graph
    constants = {t: a for t, a in graph.constants.items() if t in needed}
    return replace(graph, operators=tuple(reversed(kept)), constants=constants)


def in_vectors(graph: Graph) -> Graph:
    """Convolutions, and what follows them, over blocks of channels as wide as a vector."""
    return block_channels(graph, host().lanes)


RULES = (
    Rule("multiply integers", multiply_integers),
    Rule("skip neutral", skip_neutral),
    Rule("cancel moves", cancel_moves),
    Rule("merge alike", merge_alike),
    Rule("drop dead", drop_dead),
    Rule("fold constants", fold_constants),
    Rule("fold scales", fold_scales),
    Rule("part zeros", part_zeros, "cpu"),
    Rule("multiply words", multiply_words, "cpu"),
    Rule("block channels", in_vectors, "cpu"),
    Rule("pack weights", pack_weights, "cpu"),
)


def rewrite_graph(graph: Graph, target: str) -> tuple[Graph, tuple[str, ...]]:
    """The graph after all rules for a kind of target, and the names of those that changed it."""
    fired: list[str] = []
    for rule in RULES:
        if rule.target not in ("", target):
            continue
        after = rule.apply(graph)
        if after is not graph:
            fired.append(rule.name)
        graph = after
    return graph, tuple(fired)
