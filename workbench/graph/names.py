"""Names of tensors in a compiled graph: no name twice."""

from __future__ import annotations

from workbench.base.names import safe_name


class NameScope:
    """Gives each key one name, and no name twice.

    Parameters
    ----------
    reserved : iterable of str
        Names that are never given.
    """

    def __init__(self, reserved: frozenset[str] | set[str] = frozenset()) -> None:
        self._used: set[str] = set(reserved)
        self._given: dict[object, str] = {}

    def name(self, key: object, wish: str) -> str:
        """The name of `key`; the first time it is `wish`, made safe, or `wish_1`, `wish_2`, …"""
        if key in self._given:
            return self._given[key]
        base = safe_name(wish)
        name, n = base, 0
        while name in self._used:
            n += 1
            name = f"{base}_{n}"
        self._used.add(name)
        self._given[key] = name
        return name
