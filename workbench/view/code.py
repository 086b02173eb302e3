"""Words of a line of code, for colour; and code as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORDS = {
    "python": "for in def if elif else return while break continue and or not import from lambda",
    "ir": "func for in if else while break return let var launch unroll shared register tables",
    "cuda": "for if else while do break continue return const int unsigned float double bool char"
    " short long void extern __global__ __shared__ __device__ __constant__ __restrict__ struct"
    " __launch_bounds__ true false asm volatile",
    "llvm": "define declare ret br label load store add mul sub fadd fmul icmp fcmp phi call"
    " getelementptr select double float ptr i1 i8 i16 i32 i64 void to x",
}
_COMMENT = {"python": "#", "ir": "#", "cuda": "//", "llvm": ";"}
_TOKEN = re.compile(
    r"""(?P<string>"[^"]*"|'[^']*')|(?P<word>[^\W\d]\w*)|(?P<number>\b\d[\w.]*)|(?P<rest>\W)"""
)


def words(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Parts of a line, each with its class: ``keyword``, ``number``, ``faint`` or none.

    Examples
    --------
    >>> [part for part in words("for i in 4  # all", "ir") if part[1]]
    [('for', 'keyword'), ('in', 'keyword'), ('4', 'number'), ('# all', 'faint')]
    """
    comment = _COMMENT.get(language, "#")
    known = _WORDS.get(language, "").split()
    plain, place = "", 0
    while place < len(text):
        if text.startswith(comment, place):
            yield from ((plain, ""),) if plain else ()
            yield text[place:], "faint"
            return
        token = _TOKEN.match(text, place)
        said = token[0] if token else text[place]
        kind = token.lastgroup if token else None
        place += len(said)
        colour = "number" if kind == "number" else ""
        colour = "keyword" if kind == "word" and said in known else colour
        if not colour:
            plain += said
            continue
        yield from ((plain, ""),) if plain else ()
        plain = ""
        yield said, colour
    yield from ((plain, ""),) if plain else ()


def folded(text: str, language: str, room: int) -> list[list[tuple[str, str]]]:
    """The parts of a line as rows of at most `room` characters, the later ones indented.

    It is broken after a blank where one is near, else anywhere.

    Examples
    --------
    >>> [row for row in folded("  a = first + second", "ir", 14)]
    [[('  a = first +', '')], [('      ', ''), ('second', '')]]
    """
    hang = " " * min(len(text) - len(text.lstrip()) + 4, room // 2)
    cuts, start, wide = [0], 0, room
    while len(text) - start > wide:
        blank = text.rfind(" ", start + wide // 2, start + wide + 1)
        start = start + wide if blank < 0 else blank + 1
        cuts.append(start)
        wide = room - len(hang)
    parts = list(words(text, language))
    if len(cuts) == 1:
        return [parts]
    ends = [*cuts[1:], len(text)]
    rows = [_part(parts, a, b) for a, b in zip(cuts, ends, strict=True)]
    return [rows[0], *([(hang, ""), *row] for row in rows[1:])]


def _part(parts: list[tuple[str, str]], start: int, end: int) -> list[tuple[str, str]]:
    """What lies between two characters, without blanks at its end."""
    found: list[tuple[str, str]] = []
    place = 0
    for said, colour in parts:
        inside = said[max(0, start - place) : max(0, end - place)]
        found += [(inside, colour)] if inside else []
        place += len(said)
    if found:
        found[-1] = (found[-1][0].rstrip(), found[-1][1])
    return found
