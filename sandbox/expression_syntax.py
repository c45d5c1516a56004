"""How GitHub's expressions are written: `${{ … }}` within a text, and what stands between."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.expression_value import ARITIES
from sandbox.workflow_error import WorkflowError

# What stands between the braces may hold `}}` in a text.
_PLACE = re.compile(r"\$\{\{((?:'[^']*'|[^'}]|\}(?!\}))*)\}\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>\|\||&&|==|!=|[!.(),\[\]]))"
)
_WORDS = {"true": True, "false": False, "null": None}
STATUS_FUNCTIONS = ("always", "success", "failure", "cancelled")


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Context:
    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A property or an element of something."""

    of: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function, its name in lower case."""

    function: str
    values: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    value: "Node"


@dataclass(frozen=True, slots=True)
class Pair:
    sign: str
    one: "Node"
    other: "Node"


Node = Literal | Context | Part | Call | Not | Pair


@lru_cache(maxsize=512)
def parts(text: str) -> tuple[str | Node, ...]:
    """A text's plain pieces and its expressions, in order."""
    found: list[str | Node] = []
    end = 0
    for place in _PLACE.finditer(text):
        found += [text[end : place.start()], parse(place[1])]
        end = place.end()
    if "${{" in text[end:]:
        raise WorkflowError(f"an expression is not closed in `{text[end:].strip()}`")
    return tuple(one for one in (*found, text[end:]) if one != "")


def condition(text: str) -> Node:
    """An `if:`, with or without its braces; an empty one is none."""
    if not text.strip():
        return Call("success", ())
    match parts(text.strip()):
        case (str() as bare,):
            return parse(bare)
        case (node,) if not isinstance(node, str):
            return node
        case _:
            # GitHub would take the filled-in text as it is, and every text is true.
            raise WorkflowError(f"an `if` is one expression, and `{text.strip()}` is not")


@lru_cache(maxsize=512)
def parse(expression: str) -> Node:
    """One expression, without its braces."""
    return _Parser(expression).parse()


def inside(node: Node) -> Iterator[Node]:
    """The node and every node below it."""
    yield node
    match node:
        case Part(one, other) | Pair(_, one, other):
            yield from inside(one)
            yield from inside(other)
        case Not(value):
            yield from inside(value)
        case Call(_, values):
            for value in values:
                yield from inside(value)
        case _:
            pass


class _Parser:
    """Recursive descent, an operator's precedence a method."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = list(self._read(expression.rstrip()))
        self._at = 0

    def parse(self) -> Node:
        node = self._or()
        if self._at < len(self._tokens):
            raise self._unknown(self._tokens[self._at][1])
        return node

    def _read(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None or token.lastgroup is None:
                raise self._unknown(text[at:].strip().split()[0])
            yield token.lastgroup, token[token.lastgroup]
            at = token.end()

    def _unknown(self, what: str) -> WorkflowError:
        return WorkflowError(
            f"I don't know `{what}` in the expression `{self._expression.strip()}`"
        )

    def _taken(self, *signs: str) -> str:
        """The next token, if it is one of these signs."""
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "sign" or text not in signs:
            return ""
        self._at += 1
        return text

    def _expect(self, sign: str) -> None:
        if not self._taken(sign):
            raise WorkflowError(
                f"`{sign}` is missing in the expression `{self._expression.strip()}`"
            )

    def _or(self) -> Node:
        node = self._and()
        while sign := self._taken("||"):
            node = Pair(sign, node, self._and())
        return node

    def _and(self) -> Node:
        node = self._equal()
        while sign := self._taken("&&"):
            node = Pair(sign, node, self._equal())
        return node

    def _equal(self) -> Node:
        node = self._not()
        while sign := self._taken("==", "!="):
            node = Pair(sign, node, self._not())
        return node

    def _not(self) -> Node:
        return Not(self._not()) if self._taken("!") else self._parts_of(self._operand())

    def _operand(self) -> Node:
        if self._taken("("):
            node = self._or()
            self._expect(")")
            return node
        kind, text = self._next()
        match kind:
            case "string":
                return Literal(text[1:-1].replace("''", "'"))
            case "number":
                return Literal(float(text))
            case "name" if text in _WORDS:
                return Literal(_WORDS[text])
            case "name" if self._taken("("):
                return self._call(text)
            case "name":
                return Context(text.lower())
            case _:
                raise self._unknown(text)

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise WorkflowError(f"the expression `{self._expression.strip()}` ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _call(self, name: str) -> Node:
        values: list[Node] = []
        while not self._taken(")"):
            if values:
                self._expect(",")
            values.append(self._or())
        function = name.lower()
        least, most = (0, 0) if function in STATUS_FUNCTIONS else ARITIES.get(function, (-1, -1))
        if most < 0:
            raise self._unknown(f"{name}()")
        if not least <= len(values) <= most:
            said = self._expression.strip()
            raise WorkflowError(f"`{name}()` takes another number of values than in `{said}`")
        return Call(function, tuple(values))

    def _parts_of(self, node: Node) -> Node:
        while sign := self._taken(".", "["):
            if sign == "[":
                node = Part(node, self._or())
                self._expect("]")
                continue
            kind, text = self._next()
            if kind != "name":
                raise self._unknown(f".{text}")
            node = Part(node, Literal(text))
        return node
