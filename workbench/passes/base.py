"""What a pass is, its text, and the record that each one leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from workbench.base.errors import PassError
from workbench.ir.module import Module
from workbench.ir.node import Node
from workbench.ir.traverse import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.ir.target import Target

_SPEC = re.compile(r"\s*(\w+)\s*(?:\{(.*)\})?\s*")
_OPTION = re.compile(r"\s*(\w+)\s*=\s*(-?\d+|true|false)\s*")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")
P = TypeVar("P", bound="Pass")


@dataclass(frozen=True)
class Pass:
    """A step from one module to the next: its fields are its options, int or bool.

    A pass keeps what the module means, makes a new module or gives back the same object, and
    leaves the old one as it was.

    Examples
    --------
    >>> from workbench.passes.unroll import Unroll
    >>> Unroll(limit=8).spec()
    'unroll{limit=8}'
    """

    @property
    def name(self) -> str:
        """``LowerTasks`` is called ``lower_tasks``."""
        return _WORD.sub("_", type(self).__name__).lower()

    def spec(self) -> str:
        """Its text: the name, and the options that are not the default."""
        texts = [
            f"{f.name}={str(value).lower() if isinstance(value, bool) else value}"
            for f in fields(self)
            if (value := getattr(self, f.name)) != f.default
        ]
        return f"{self.name}{{{', '.join(texts)}}}" if texts else self.name

    def __call__(self, module: Module, target: Target) -> Module:
        """The module after the pass."""
        raise NotImplementedError(self.name)


@dataclass(frozen=True)
class StageRecord:
    """What a pass did.

    Attributes
    ----------
    name : str
        The pass's text.
    ms : float
        Its wall time, verification included [ms].
    module : Module
        What came out.
    before : Module
        What went in.
    """

    name: str
    ms: float
    module: Module
    before: Module

    @property
    def changes(self) -> int:
        """Nodes of the result that were not there before."""
        return changes(self.before, self.module)


def changes(before: Module, after: Module) -> int:
    """Nodes of `after` that `before` does not have.

    The nodes above a new node are new too, but of those that only hold new operands none counts.
    """
    if before is after:
        return 0
    old = set(walk(before))
    new: set[Node] = {node for node in walk(after) if node not in old}
    kinds = [type(node) for node in old]
    grown = {kind: kinds.count(kind) for kind in set(kinds)}
    rebuilt = sum(1 for node in new if grown.get(type(node)))
    return max(1, len(new) - rebuilt) if new else 0


def parse_pass(text: str, known: Iterable[type[P]]) -> P:
    """The pass that `text` names, such as ``unroll{limit=8}``.

    Raises
    ------
    PassError
        An unknown pass or option, or a text that cannot be read.
    """
    kinds = {kind().name: kind for kind in known}
    match = _SPEC.fullmatch(text)
    if match is None or match[1] not in kinds:
        raise PassError(f"no pass is called {text!r}", hint=f"one of {', '.join(kinds)}")
    kind = kinds[match[1]]
    options: dict[str, int | bool] = {}
    for part in filter(str.strip, (match[2] or "").split(",")):
        option = _OPTION.fullmatch(part)
        names = [f.name for f in fields(kind)]
        if option is None or option[1] not in names:
            raise PassError(
                f"{match[1]} has no option {part.strip()!r}",
                hint=f"its options are {', '.join(names)}" if names else "it has no options",
            )
        value = option[2]
        options[option[1]] = value == "true" if value in ("true", "false") else int(value)
    make: Callable[..., P] = kind
    return make(**options)
