"""Register tensors as names instead of memory, while the body of a loop is generated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

Key = tuple[str, int, str, str]
"""Pointer, element, LLVM type of a vector of it, metadata."""


class _Writer(Protocol):
    """What of an Emitter, which knows this module, is needed here."""

    def name(self, hint: str = ...) -> str: ...
    def let(self, text: str, hint: str = ...) -> str: ...
    def line(self, text: str) -> None: ...


@dataclass
class Capture:
    """What the body did to elements of register tensors.

    Attributes
    ----------
    values : dict of Key to str
        Operand that each element holds now.
    initial : dict of Key to str
        Name that stands for what it held when the body began, where the body asked.
    failed : bool
        Whether an access was not to a known element in all lanes.
    """

    values: dict[Key, str] = field(default_factory=dict)
    initial: dict[Key, str] = field(default_factory=dict)
    failed: bool = False

    def read(self, e: _Writer, key: Key) -> str:
        """The operand that an element holds."""
        if key not in self.values:
            self.initial[key] = self.values[key] = e.name("held")
        return self.values[key]

    def written(self) -> list[Key]:
        """Elements that the body changed, in the order of their places."""
        changed = [k for k, v in self.values.items() if v != self.initial.get(k)]
        return sorted(changed)

    def shape(self, key: Key) -> str:
        """LLVM type."""
        return key[2]

    def load_text(self, e: _Writer, key: Key) -> str:
        """The instruction that reads an element from memory."""
        return f"load {key[2]}, ptr {_address(e, key)}, align 64{key[3]}"

    def load(self, e: _Writer, key: Key) -> str:
        """An element read from memory."""
        return e.let(self.load_text(e, key))

    def store(self, e: _Writer, key: Key, operand: str) -> None:
        """Write an element to memory."""
        e.line(f"store {key[2]} {operand}, ptr {_address(e, key)}, align 64{key[3]}")


def _address(e: _Writer, key: Key) -> str:
    return e.let(f"getelementptr {key[2]}, ptr {key[0]}, i64 {key[1]}", "p") if key[1] else key[0]
