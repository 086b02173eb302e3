"""Post-scheduling fusion: a scheduled program takes in the definitions around it.

A load ``in[i]`` becomes the producer's expression at ``i``; a store ``out[e] = v`` becomes
``out'[inv(e)] = expr(v)``. This works on IR alone: it knows no operator by name and no tile, and
the schedule is not touched.

Source: Ding et al., "Hidet: Task-Mapping Programming Paradigm for Deep Learning Tensor Programs",
ASPLOS 2023, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir.expr import Atomic, Expr, Load, Var
from workbench.ir.stmt import Declare, Seq, Store
from workbench.ir.traverse import rewrite, substitute, variables, walk
from workbench.ir.types import DType

if TYPE_CHECKING:
    from workbench.ir.compute import Compute
    from workbench.ir.module import Function, Module
    from workbench.ir.node import Node


def fuse(
    module: Module,
    output: Var,
    prologue: Sequence[Compute] = (),
    epilogue: Sequence[Compute] = (),
    name: str | None = None,
) -> Module:
    """The scheduled program with definitions fused into its loads and stores.

    Parameters
    ----------
    module : Module
        Level `script`; its kernel stores each element of `output` exactly once.
    output : Var
        What the program stores.
    prologue : sequence of Compute
        Injective, in the order they depend on one another; their outputs are tensors that the
        program or the epilogue loads. Definitions share variables where they share tensors.
    epilogue : sequence of Compute
        Injective, in order; each has an inverse map for `output` or an earlier epilogue's output.
    name : str, optional
        A new name for the kernel.

    Returns
    -------
    Module
        Its kernel has the inputs that are still read, and the last output, as parameters.

    Raises
    ------
    ScheduleError
        When the program stores the output in a way that cannot take an epilogue (short vectors,
        atomics, reading it back).
    """
    kernel = module.kernel
    body = kernel.body
    if epilogue:
        _check_stores(body, output)
        body = rewrite(body, lambda n: _stored(n, output, epilogue))
    for producer in reversed(prologue):
        body = _loaded(body, producer)
    last = epilogue[-1].output if epilogue else output
    fused = replace(
        kernel,
        name=name or kernel.name,
        body=body,
        params=_params(kernel, body, [*prologue, *epilogue], last),
    )
    return replace(module, functions=(*module.functions[:-1], fused))


def _check_stores(body: Node, output: Var) -> None:
    for node in walk(body):
        if isinstance(node, Load | Atomic) and node.tensor is output:
            raise ScheduleError(f"{output.name} is read back, so no epilogue can be fused into it")
        if not isinstance(node, Store) or node.tensor is not output:
            continue
        if isinstance(node.value.type, DType) and node.value.type.lanes > 1:
            raise ScheduleError(f"{output.name} is stored in short vectors; store single elements")


def _stored(node: Node, output: Var, epilogue: Sequence[Compute]) -> Node | None:
    """The store of an element, carried through the epilogue."""
    if not isinstance(node, Store) or node.tensor is not output:
        return None
    steps: list[Declare] = []

    def kept(tensor: Var, value: Expr) -> Expr:
        # a name of its own for each step: what is used twice is computed once
        if isinstance(value, Var):
            return value
        kind = value.type
        assert isinstance(kind, DType)
        step = Var(f"{tensor.name}_value", kind)
        steps.append(Declare(step, value, span=node.span))
        return step

    made = {output: (kept(output, node.value), node.index)}
    *inner, last = epilogue
    for compute in inner:
        index, value = _continued(compute, made)
        made[compute.output] = (kept(compute.output, value), index)
    index, value = _continued(last, made)
    return Seq((*steps, Store(last.output, index, value, span=node.span)))


def _continued(
    compute: Compute, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]
) -> tuple[tuple[Expr, ...], Expr]:
    """Where in the output of `compute` the element at hand goes, and its value there."""
    index = _image(compute, made)
    whole = substitute(compute.value, dict(zip(compute.axes, index, strict=True)))
    return index, rewrite(whole, lambda n: _inner(n, made))


def _inner(node: Node, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]) -> Node | None:
    if isinstance(node, Load) and node.tensor in made:
        return made[node.tensor][0]
    return None


def _image(compute: Compute, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]) -> tuple[Expr, ...]:
    """Where in the output of `compute` the element at hand goes."""
    for var, inverse in compute.inverse:
        if var in made:
            at = dict(zip(inverse.axes, made[var][1], strict=True))
            return tuple(substitute(e, at) for e in inverse.index)
    raise ScheduleError(f"{compute.name} has no inverse map for what it follows")


def _loaded(body: Node, producer: Compute) -> Node:
    """`body` with every load of the producer's output replaced by its definition."""

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Load) or node.tensor is not producer.output:
            return None
        if node.type.lanes > 1:
            raise ScheduleError(
                f"{producer.output.name} is loaded in short vectors; load single elements"
            )
        return substitute(producer.value, dict(zip(producer.axes, node.index, strict=True)))

    return rewrite(body, rule)


def _params(
    kernel: Function, body: Node, computes: Sequence[Compute], output: Var
) -> tuple[Var, ...]:
    used = variables(body)
    candidates = [*kernel.params, *(v for c in computes for v in c.inputs)]
    inputs = [v for v in dict.fromkeys(candidates) if v in used and v is not output]
    return (*inputs, output)
