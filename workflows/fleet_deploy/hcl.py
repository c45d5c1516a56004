"""A reader of HCL files: their blocks and attributes, by a grammar much smaller than HCL's own.

Not what an expression means, only where it ends. What it does not know it refuses, and it knows
only what no two readers of HCL could read differently: printable ASCII, comments that begin with
``#``, strings that hold nothing but references in ``${…}``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Other characters end a line, a comment or a word for one reader and not for another.
_ODD = re.compile(r"[^\t\n -~]")
_TOKEN = re.compile(
    r"""
    (?P<nothing> [ \t]+ | \#[^\n]* )
    | (?P<newline> \n )
    # Between the braces of a template HCL reads code, where a comment would hide the brace and
    # the quote that end them: a reference holds neither. Before a brace, a `$` or `%` more makes
    # it text again, so a `$` alone stands at a string's end, and a `%` nowhere.
    | (?P<string> "(?: [^"\\$%\n] | \\["\\nrt] | \$(?=") | \$\{[A-Za-z0-9_.-]+\} )*" )
    | (?P<word> [A-Za-z_][A-Za-z0-9_-]* )
    # Not the begin of a heredoc; and no slash, which may begin a comment.
    | (?P<sign> [0-9.]+ | => | [=!<>]= | && | \|\| | <(?!<) | [-=+*>!?:,()\[\]{}] )
    """,
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LABEL = re.compile(r'"([A-Za-z0-9_.-]+)"|([A-Za-z_][A-Za-z0-9_-]*)')
_END = ""


class BadHcl(ValueError):
    """What can't be read, and in which line."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block, or a file's whole body.

    Attributes:
        header: its kind and labels, as in ``resource aws_vpc fleet``; empty for a file.
        attributes: the tokens of each one's expression.
    """

    header: str
    attributes: Mapping[str, tuple[str, ...]]
    blocks: "tuple[Block, ...]"


def read(text: str) -> Block:
    """The body of a file; BadHcl."""
    tokens = _Tokens(text)
    body = _body(tokens, "")
    if tokens.take() != _END:
        raise tokens.unreadable("a brace that closes nothing")
    return body


class _Tokens:
    """The tokens of a text, one ahead; ``_END`` at its end, for ever."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._all = self._found()
        self.ahead = next(self._all)

    def take(self) -> str:
        taken, self.ahead = self.ahead, next(self._all)
        return taken

    def unreadable(self, what: str) -> BadHcl:
        return BadHcl(f"{what}, about line {self._text.count(chr(10), 0, self._place) + 1}")

    def _found(self) -> Iterator[str]:
        if odd := _ODD.search(self._text):
            self._place = odd.start()
            raise self.unreadable(f"the character {odd[0]!a}")
        while self._place < len(self._text):
            match = _TOKEN.match(self._text, self._place)
            if match is None:
                raise self.unreadable(f"{self._text[self._place : self._place + 20]!r}")
            self._place = match.end()
            if match.lastgroup != "nothing":
                yield "\n" if match.lastgroup == "newline" else match[0]
        while True:
            yield _END


def _body(tokens: _Tokens, header: str) -> Block:
    """Up to the brace that closes it, which is not taken, or the end."""
    attributes: dict[str, tuple[str, ...]] = {}
    blocks: list[Block] = []
    while tokens.ahead not in ("}", _END):
        name = tokens.take()
        if name == "\n":
            continue
        if not _NAME.fullmatch(name):
            raise tokens.unreadable(f"{name[:20]!r} where a name should be")
        if tokens.ahead != "=":
            blocks.append(_block(tokens, name))
        elif name in attributes:
            raise tokens.unreadable(f"`{name}` a second time")
        else:
            tokens.take()
            attributes[name] = tuple(_expression(tokens))
    return Block(header, attributes, tuple(blocks))


def _block(tokens: _Tokens, kind: str) -> Block:
    header = [kind]
    while tokens.ahead != "{":
        label = _LABEL.fullmatch(tokens.take())
        if label is None:
            raise tokens.unreadable(f"a block `{kind}` without a body")
        header.append(label[1] or label[2])
    tokens.take()
    block = _body(tokens, " ".join(header))
    if tokens.take() != "}":
        raise tokens.unreadable(f"a block `{kind}` that does not end")
    return block


def _expression(tokens: _Tokens) -> Iterator[str]:
    """To the end of the line, or of the block, that no bracket holds open."""
    depth = 0
    while depth or tokens.ahead not in ("\n", "}", _END):
        part = tokens.take()
        depth += (part in ("(", "[", "{")) - (part in (")", "]", "}"))
        if part == _END or depth < 0:
            raise tokens.unreadable("brackets that do not match")
        if part != "\n":
            yield part
