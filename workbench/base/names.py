"""Identifiers that are safe in C and Python, and text that is safe to show."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"\W", re.ASCII)
_RESERVED = re.compile(r"_[_A-Z]")
"""How names begin that C keeps for compilers: ``__shared__``."""

C_KEYWORDS = frozenset(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
    char32_t char8_t class co_await co_return co_yield compl concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum
    explicit export extern false float for friend goto if inline int long main mutable namespace
    new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert
    static_cast struct switch template this thread_local throw true try typedef typeid typename
    union unsigned using virtual void volatile wchar_t while xor xor_eq""".split()
)


def safe_name(text: str, default: str = "v") -> str:
    """`text` as an identifier: other characters become ``_``; never a C keyword, never empty.

    Examples
    --------
    >>> safe_name("conv1/weight:0"), safe_name("3x"), safe_name("float"), safe_name("__shared__")
    ('conv1_weight_0', '_3x', 'float_', 'shared__')
    """
    name = _UNSAFE.sub("_", text)
    if not name.strip("_"):
        name = default
    if _RESERVED.match(name):
        name = name.lstrip("_")
    if name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if name in C_KEYWORDS else name


def shown(text: str, longest: int = 60) -> str:
    r"""`text` on one line for people to read: what cannot be printed is escaped, the middle of
    what is too long left out.

    Examples
    --------
    >>> shown("conv1/weight:0"), shown("two\nlines"), shown("a" * 99, 9)
    ('conv1/weight:0', 'two\\nlines', 'aaaa…aaaa')
    """
    if len(text) > longest:
        text = f"{text[: longest // 2]}…{text[-(longest // 2) :]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
