"""Tokens of the text form: names, numbers, operators, indentation, comments."""

from __future__ import annotations

import linecache
import re
from dataclasses import dataclass
from typing import NoReturn

from workbench.base.errors import ParseError
from workbench.base.span import Span

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<comment>\#.*)
      | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?:bf16|f16|f32|f64|[iu](?:8|16|32|64))?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<string>"[^"]*"|'[^']*')
      | (?P<op>->|//|<<|>>|<=|>=|==|!=|\+=|-=|\*=|/=|.)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text.

    Attributes
    ----------
    kind : str
        ``name number string op newline indent dedent note remark end``; a note stands at the end
        of a line, a remark has a line of its own.
    line, col : int
        Where it starts, from 1 and from 0.
    """

    kind: str
    text: str
    line: int
    col: int


class Cursor:
    """The tokens of a text and a place among them.

    Parameters
    ----------
    text : str
        The whole text.
    name : str
        What errors call it.
    """

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.splitlines()
        self.name = name
        # its own key, so that two texts of one name keep their lines apart
        self.key = f"{name} {abs(hash(text)):x}"
        linecache.cache[self.key] = (len(text), None, text.splitlines(keepends=True), self.key)
        self.tokens = self._scan()
        self.place = 0

    @property
    def token(self) -> Token:
        """The token that is next."""
        return self.tokens[self.place]

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these words or operators."""
        return self.token.text in texts and self.token.kind in ("name", "op")

    def take(self) -> Token:
        """The next token, which is passed."""
        token = self.token
        self.place += token.kind != "end"
        return token

    def accept(self, *texts: str) -> Token | None:
        """The next token where it is one of these, which is then passed."""
        return self.take() if self.at(*texts) else None

    def expect(self, text: str) -> Token:
        """The next token, which must be this."""
        return self.accept(text) or self.fail(f"expected {text!r}, found {self.found()}")

    def of_kind(self, kind: str) -> Token:
        """The next token, which must be of this kind."""
        if self.token.kind == kind:
            return self.take()
        words = {"indent": "an indented block", "newline": "the end of the line"}
        self.fail(f"expected {words.get(kind, f'a {kind}')}, found {self.found()}")

    def found(self) -> str:
        """The next token in words."""
        words = {"newline": "the end of the line", "end": "the end of the text"}
        words |= {"indent": "an indented line", "dedent": "the end of the block"}
        return words.get(self.token.kind, repr(self.token.text))

    def raw(self, stop: str) -> tuple[str, Span]:
        """The text from here to `stop` on this line, and its span; the cursor stands on `stop`."""
        first = self.token
        end = self.lines[first.line - 1].find(stop, first.col)
        if end < 0:
            self.fail(f"expected {stop!r} on this line")
        return self._until(first, end)

    def raw_layout(self) -> tuple[str, Span]:
        """The text from here to a comma, bracket or end that does not belong to it."""
        first, depth = self.token, 0
        line = self.lines[first.line - 1]
        end = len(line)
        for col in range(first.col, len(line)):
            depth += (line[col] in "([{") - (line[col] in ")]}")
            if depth < 0 or (depth == 0 and line[col] in ",#"):
                end = col
                break
        return self._until(first, end)

    def _until(self, first: Token, end: int) -> tuple[str, Span]:
        while self.token.line == first.line and self.token.col < end and self.token.text:
            self.place += 1
        content = self.lines[first.line - 1][first.col : end].rstrip()
        return content, self._span(first.line, first.col, first.col + len(content))

    def span(self, start: Token) -> Span:
        """From `start` to the token passed last, as far as it is on the same line."""
        last = self.tokens[max(self.place - 1, 0)]
        same = last.line == start.line and last.col >= start.col
        end = last if same else start
        return self._span(start.line, start.col, end.col + len(end.text))

    def _span(self, line: int, col: int, end: int) -> Span:
        return Span(self.name, line, col, line, end, self.key)

    def fail(self, message: str, start: Token | None = None, hint: str | None = None) -> NoReturn:
        """Raise a ParseError at the next token, or from `start` on."""
        token = self.token
        span = self._span(token.line, token.col, token.col + max(1, len(token.text)))
        raise ParseError(message, span if start is None else self.span(start), hint)

    def _scan(self) -> list[Token]:
        tokens: list[Token] = []
        indents, depth = [0], 0
        for row, line in enumerate(self.lines, 1):
            content = line.strip()
            if not content:
                continue
            if content.startswith("#") and not depth:
                tokens.append(Token("remark", content[1:].strip(), row, line.index("#")))
                continue
            if not depth:
                self._indent(tokens, indents, len(line) - len(line.lstrip(" ")), row)
            depth = _words(tokens, line, row, depth)
            if not depth:
                tokens.append(Token("newline", "", row, len(line)))
        last = len(self.lines) + 1
        tokens += [Token("dedent", "", last, 0)] * (len(indents) - 1)
        return [*tokens, Token("end", "", last, 0)]

    def _indent(self, tokens: list[Token], indents: list[int], width: int, row: int) -> None:
        if width > indents[-1]:
            indents.append(width)
            tokens.append(Token("indent", "", row, width))
        while width < indents[-1]:
            indents.pop()
            tokens.append(Token("dedent", "", row, width))
        if width != indents[-1]:
            span = self._span(row, 0, max(width, 1))
            raise ParseError("this line is indented like none before it", span)


def _words(tokens: list[Token], line: str, row: int, depth: int) -> int:
    """Append the tokens of one line; gives the depth of brackets at its end."""
    for match in _TOKEN.finditer(line):
        kind, word = str(match.lastgroup), match.group()
        if kind == "space" or (kind == "comment" and depth):
            continue
        if kind == "comment":
            tokens.append(Token("note", word[1:].strip(), row, match.start()))
            continue
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        tokens.append(Token(kind, word, row, match.start()))
    return max(depth, 0)
