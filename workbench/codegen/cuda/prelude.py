"""Small device functions and types that a kernel needs, each written once, only when used."""

from __future__ import annotations

import textwrap

_WIDTH = 100


class Prelude:
    """Declarations to stand before the kernel, in the order they were first asked for.

    What needs another adds that one first.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def add(self, name: str, text: str) -> str:
        """Declare `name` by `text`, unless it is; gives the name."""
        self._texts.setdefault(name, text)
        return name

    def function(self, result: str, name: str, params: str, body: str, key: str = "") -> str:
        """Declare a device function, `body` on one line where it fits; gives its name.

        Functions of one name with different `key` are overloads.
        """
        key = key or name
        if key not in self._texts:
            head = f"__device__ __forceinline__ {result} {name}({params}) {{"
            if len(head) > _WIDTH:
                head = textwrap.fill(head, _WIDTH, subsequent_indent="    ")
            if "\n" not in body and len(head) + len(body) + 3 <= _WIDTH:
                text = f"{head} {body} }}"
            else:
                text = f"{head}\n{_wrapped(body)}\n}}"
            self._texts[key] = text
        return name

    @property
    def names(self) -> frozenset[str]:
        """What is declared."""
        return frozenset(self._texts)

    @property
    def lines(self) -> tuple[str, ...]:
        """All declarations."""
        return tuple(line for text in self._texts.values() for line in text.splitlines())


def _wrapped(body: str) -> str:
    rows = body.splitlines() if "\n" in body else body.replace("; ", ";\n").splitlines()
    out: list[str] = []
    for row in rows:
        out += textwrap.wrap(
            row, _WIDTH, initial_indent="  ", subsequent_indent="      ", break_long_words=False
        )
    return "\n".join(out)
