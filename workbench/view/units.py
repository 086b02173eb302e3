"""Quantities in words."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def bytes_text(count: int) -> str:
    """A number of bytes with three digits and a decimal unit.

    Examples
    --------
    >>> bytes_text(12), bytes_text(2048), bytes_text(11_900_000)
    ('12 B', '2.05 kB', '11.9 MB')
    """
    if count < 1000:
        return f"{count} B"
    step = next((k for k in range(1, len(_UNITS)) if count < 999.5 * 1000**k), len(_UNITS) - 1)
    value = count / 1000**step
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {_UNITS[step]}"
