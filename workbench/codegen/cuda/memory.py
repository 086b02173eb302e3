"""Where shared tensors lie: each by itself, or all in the part that a launch adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.base.errors import CodegenError
from workbench.ir.arch import STATIC_SHARED_BYTES, arch
from workbench.ir.expr import Var
from workbench.ir.module import Module
from workbench.ir.stmt import Allocate
from workbench.ir.target import Target
from workbench.ir.traverse import walk
from workbench.ir.types import Scope

_ALIGN_BYTES = 16  # the widest access of a thread


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """Shared memory of a block.

    Attributes
    ----------
    offsets : mapping of Var to int
        Where each shared tensor starts when all lie in one piece [byte].
    total_bytes : int
        Size of that piece [byte].
    """

    offsets: Mapping[Var, int]
    total_bytes: int

    @property
    def dynamic(self) -> bool:
        """Whether it is more than a kernel may declare, so that the launch must add it."""
        return self.total_bytes > STATIC_SHARED_BYTES

    @property
    def dynamic_bytes(self) -> int:
        """What the launch must add [byte]."""
        return self.total_bytes if self.dynamic else 0


def shared_plan(module: Module) -> SharedPlan:
    """The shared tensors of a module, one after the other."""
    offsets: dict[Var, int] = {}
    end = 0
    for node in _allocations(module):
        offsets[node.var] = end
        end += -(-node.var.tensor.size_bytes // _ALIGN_BYTES) * _ALIGN_BYTES
    return SharedPlan(offsets, end)


def check_shared(module: Module, target: Target, plan: SharedPlan) -> None:
    """Raise CodegenError when a block may not have that much on the target's architecture."""
    limits = arch(target.arch)
    if limits is None or plan.total_bytes <= limits.shared_bytes_per_block:
        return
    largest = max(_allocations(module), key=lambda node: node.var.tensor.size_bytes)
    most = limits.shared_bytes_per_block
    raise CodegenError(
        f"{module.kernel.name} needs {_kb(plan.total_bytes)} of shared memory; "
        f"a block on {target.arch} has {_kb(most)}",
        span=largest.span or module.kernel.span,
        hint=f"{largest.var.name} takes {_kb(largest.var.tensor.size_bytes)}: make it smaller",
    )


def _allocations(module: Module) -> list[Allocate]:
    return [
        node
        for function in module.functions
        for node in walk(function.body)
        if isinstance(node, Allocate) and node.var.tensor.scope is Scope.SHARED
    ]


def _kb(size_bytes: int) -> str:
    """A size in words.

    Examples
    --------
    >>> _kb(204800), _kb(100)
    ('200 KB (204800 bytes)', '100 bytes')
    """
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1024:.4g} KB ({size_bytes} bytes)"
