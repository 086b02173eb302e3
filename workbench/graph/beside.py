"""Programs side by side in one grid: the first blocks run one, the next ones another.

This works on IR alone, after scheduling, like the rest of fusion: each program keeps its blocks,
its prologue, its epilogue and its outputs, and no template knows of it. They must have blocks of
as many threads. Scratch memory that they have alike is shared: a block runs only one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.graph.shared import Scheduled
from workbench.ir import build
from workbench.ir.expr import Builtin, Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Allocate, If, Seq, Stmt
from workbench.ir.traverse import rewrite, walk
from workbench.ir.types import Scope, TensorType

if TYPE_CHECKING:
    from workbench.graph.tensor import Tensor
    from workbench.ir.node import Node

_BLOCK, _GRID = "blockIdx.x", "gridDim.x"


def side_by_side(parts: Sequence[Scheduled], name: str) -> Scheduled:
    """Programs that do not need one another as one.

    Parameters
    ----------
    parts : sequence of Scheduled
        Kernels over a line of blocks of as many threads, with nothing else in their modules.
    name : str
        Of the kernel.
    """
    shared: dict[Tensor, Var] = {}
    scratch: list[Var] = []
    bodies: list[tuple[Stmt, int]] = []
    first = 0
    for part in parts:
        kernel = part.module.kernel
        assert kernel.launch is not None
        instead = {
            v: shared.setdefault(t, v) for v, t in zip(kernel.params, part.tensors, strict=True)
        }
        body, scratch = _with_scratch(kernel, scratch, instead)
        bodies.append((_moved(body, first, kernel.launch.blocks), first))
        first += kernel.launch.blocks
    whole, _ = bodies[-1]
    for (body, _), (_, end) in reversed(list(pairwise(bodies))):
        whole = If(build.less(Builtin(_BLOCK), end), body, whole)
    # inputs come first
    given = [t for p in parts for t in p.tensors[-p.outputs :]]
    tensors = (*(t for t in shared if t not in given), *given)
    launch = parts[0].module.kernel.launch
    assert launch is not None
    function = Function(
        name,
        tuple(shared[t] for t in tensors),
        Seq((*map(Allocate, scratch), whole)),
        Launch((first, 1, 1), launch.block),
        notes=_notes(parts),
    )
    return Scheduled(Module((function,)), tensors, len(given))


def _with_scratch(
    kernel: Function, scratch: Sequence[Var], instead: dict[Var, Var]
) -> tuple[Stmt, list[Var]]:
    """The body with scratch memory that others use too, and all that is needed by now."""
    free, found = list(scratch), list(scratch)
    own = [n for n in walk(kernel.body) if isinstance(n, Allocate) and _is_scratch(n)]
    for node in own:
        alike = next((v for v in free if v.type == node.var.type), None)
        if alike is None:
            found.append(node.var)
        else:
            free.remove(alike)
            instead[node.var] = alike

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Seq) or not any(s in own for s in node.body):
            return None
        return Seq(tuple(s for s in node.body if s not in own), span=node.span)

    return rewrite(rewrite(kernel.body, rule), lambda _: None, instead), found


def _is_scratch(node: Allocate) -> bool:
    return isinstance(node.var.type, TensorType) and node.var.type.scope is Scope.SHARED


def _moved(body: Stmt, first: int, count: int) -> Stmt:
    """The body for the blocks from `first` on."""
    own = {_BLOCK: build.sub(Builtin(_BLOCK), first), _GRID: build.const(count)}
    if not first:
        del own[_BLOCK]
    return rewrite(body, lambda n: own.get(n.name) if isinstance(n, Builtin) else None)


def _notes(parts: Sequence[Scheduled]) -> tuple[str, ...]:
    """What the programs say of themselves; the last says which nodes of the model they are."""
    notes = [p.module.kernel.notes for p in parts]
    own = dict.fromkeys(n for each in notes for n in each[:-1])
    return (*own, "; ".join(dict.fromkeys(each[-1] for each in notes)))
