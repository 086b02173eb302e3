"""How long the vectors are that models compute of shapes: ONNX's inference believes any length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import onnx


class Lengths:
    """How many numbers there are at most in what models compute of shapes.

    Nodes are told in the order of the graph. Of what is not told, and of all else, it is unknown.

    Parameters
    ----------
    weights : mapping of str to numpy.ndarray
        Small ones, of any use in shapes.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self._most: dict[str, float] = {n: a.size for n, a in weights.items()}
        self._flat = {n for n, a in weights.items() if a.ndim == 1}
        self._counts: dict[str, float] = {}

    def makes_many_dimensions(self, node: onnx.NodeProto) -> bool:
        """Whether a node's output may have more dimensions than any model's."""
        most = self._of(node)
        for name in node.output:
            self._most[name] = most
        place = _RANKED.get(node.op_type)
        if place is None or place >= len(node.input):
            return False
        return self._most.get(node.input[place], math.inf) > MOST_DIMENSIONS

    def open(self, node: onnx.NodeProto) -> bool:
        """Whether a node that was told may give any number of numbers."""
        return self._most.get(node.output[0], math.inf) == math.inf

    def _of(self, node: onnx.NodeProto) -> float:
        """How many numbers a node gives; of what is no vector of few, any number."""
        names = [name for name in node.input if name]
        sizes = [self._most.get(name, math.inf) for name in names]
        flat = all(n in self._flat or s == 1 for n, s in zip(names, sizes, strict=True))
        match node.op_type:
            case "Shape":
                self._flat.update(node.output)
                if flat and sizes:
                    self._counts.update(dict.fromkeys(node.output, sizes[0]))
                return MOST_DIMENSIONS
            case "Size":
                return 1
            case "Constant":
                found = [a.t.dims for a in node.attribute if a.name == "value"]
                self._flat.update(node.output if found and len(found[0]) == 1 else ())
                return math.prod(found[0]) if found else MOST_DIMENSIONS
            case "ConstantOfShape" if names and names[0] in self._counts:
                # of the shape of numbers it makes as many numbers
                self._flat.update(node.output)
                return self._counts[names[0]]
            case op if names:
                return self._moved(op, node, sizes, flat)
            case _:
                return math.inf

    def _moved(self, op: str, node: onnx.NodeProto, sizes: list[float], flat: bool) -> float:
        """The same for an operator that moves numbers, or computes with them one by one."""
        first = node.input[0] in self._flat
        if op == "Gather" and len(sizes) == 2 and first:
            return sizes[1]
        if op in ("Unsqueeze", "Squeeze", "Identity", "Cast"):
            self._flat.update(node.output if sizes[0] == 1 or first else ())
            return sizes[0]
        if op == "Reshape" and len(sizes) == 2:
            self._flat.update(node.output if sizes[1] == 1 else ())
            return sizes[0]
        if op != "Concat" and op not in _BY_ELEMENT:
            return math.inf
        self._flat.update(node.output if flat else ())
        if op == "Concat":
            return sum(sizes)
        return max(sizes) if flat else math.prod(sizes)


MOST_DIMENSIONS = 64

_RANKED = {"Expand": 1, "Reshape": 1, "ConstantOfShape": 0, "MaxUnpool": 2, "AffineGrid": 1}
"""Operators whose outputs have as many dimensions as an input has numbers: which input."""

_BY_ELEMENT = frozenset("Add Sub Mul Div Mod Neg Floor Ceil Min Max Where Equal Not And Or".split())
