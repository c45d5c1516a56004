"""`${{ … }}` as GitHub evaluates it, as far as our workflow files use it; the rest is an error."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>\|\||&&|==|!=|[!.(),\[\]]))"
)
_WORDS = {"true": True, "false": False, "null": None}


class WorkflowError(Exception):
    """The workflow file holds what this stand-in does not know; the message names it."""


def whole(text: object, contexts: Mapping[str, Any]) -> Any:
    """The value of a text that is one expression, with its type; any other text, filled in."""
    if not isinstance(text, str):
        return text
    one = _PLACE.fullmatch(text.strip())
    return evaluate(one[1], contexts) if one else filled(text, contexts)


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """`text` with each expression replaced by its value's text."""
    return _PLACE.sub(lambda place: as_text(evaluate(place[1], contexts)), text)


def condition(text: str, contexts: Mapping[str, Any]) -> bool:
    """An `if:`, with or without its braces."""
    one = _PLACE.fullmatch(text.strip())
    return truthy(evaluate(one[1] if one else text, contexts))


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """One expression's value. A property that is not there is null; a context is an error."""
    return _Parser(expression, contexts).value()


def as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return str(value)
        case _:
            return json.dumps(value)


def truthy(value: Any) -> bool:
    return not (value is None or value is False or value in ("", 0))


class _Parser:
    """Recursive descent, an operator's precedence a method."""

    def __init__(self, expression: str, contexts: Mapping[str, Any]) -> None:
        self._expression = expression
        self._contexts = contexts
        self._tokens = list(self._read(expression))
        self._at = 0

    def value(self) -> Any:
        value = self._or()
        if self._at != len(self._tokens):
            raise self._unknown(self._tokens[self._at][1])
        return value

    def _read(self, expression: str) -> Iterator[tuple[str, str]]:
        at, text = 0, expression.rstrip()
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None or token.lastgroup is None:
                raise self._unknown(text[at:])
            yield token.lastgroup, token[token.lastgroup]
            at = token.end()

    def _unknown(self, what: str) -> WorkflowError:
        return WorkflowError(f"I don't know `{what.strip()}` in `{self._expression.strip()}`")

    def _sign(self, *signs: str) -> str:
        """The next token, if it is one of these signs; taken."""
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "sign" and text in signs:
                self._at += 1
                return text
        return ""

    def _or(self) -> Any:
        value = self._and()
        while self._sign("||"):
            other = self._and()
            value = value if truthy(value) else other
        return value

    def _and(self) -> Any:
        value = self._equal()
        while self._sign("&&"):
            other = self._equal()
            value = other if truthy(value) else value
        return value

    def _equal(self) -> Any:
        value = self._not()
        while sign := self._sign("==", "!="):
            value = _same(value, self._not()) is (sign == "==")
        return value

    def _not(self) -> Any:
        return not truthy(self._not()) if self._sign("!") else self._operand()

    def _operand(self) -> Any:
        if self._sign("("):
            value = self._or()
            self._expect(")")
            return value
        if self._at >= len(self._tokens):
            raise self._unknown("its end")
        kind, text = self._tokens[self._at]
        self._at += 1
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "number":
                return float(text)
            case "name" if text in _WORDS:
                return _WORDS[text]
            case "name" if self._sign("("):
                return self._call(text)
            case "name" if text in self._contexts:
                return self._property(self._contexts[text])
        raise self._unknown(text)

    def _call(self, function: str) -> Any:
        argument = self._or()
        self._expect(")")
        if function != "fromJSON":
            raise self._unknown(f"{function}()")
        try:
            return self._property(json.loads(as_text(argument)))
        except ValueError as error:
            raise WorkflowError(f"fromJSON was given what is not JSON ({error})") from error

    def _property(self, value: Any) -> Any:
        while self._sign("."):
            if self._at >= len(self._tokens) or self._tokens[self._at][0] != "name":
                raise self._unknown("what follows the dot")
            name = self._tokens[self._at][1]
            self._at += 1
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _expect(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._unknown(f"a missing `{sign}`")


def _same(one: Any, other: Any) -> bool:
    """GitHub compares texts without regard to case, and unlike types as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    match value:
        case None | False | "":
            return 0.0
        case True:
            return 1.0
        case str() | int() | float():
            try:
                return float(value)
            except ValueError:
                return float("nan")
        case _:
            return float("nan")
