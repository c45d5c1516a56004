"""What Telegram makes of a text in HTML: plain characters and entities, or a refusal."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

from sandbox.telegram_api.refusal import bad_request

LONGEST_TEXT = 4096
_ENTITIES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "tg-time": "date_time",
}
_MOMENT_FORM = re.compile("r|w?[dD]?[tT]?")
_NAMED = {"lt", "gt", "amp", "quot"}


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def read_text(text: str, parse_mode: str | None) -> tuple[str, list[dict[str, Any]]]:
    """The characters and entities of a message; BotApiRefusal where Telegram would not take it."""
    plain, entities = parsed(text, parse_mode)
    check_length(plain)
    return plain, entities


def parsed(text: str, parse_mode: str | None) -> tuple[str, list[dict[str, Any]]]:
    """The same of however long a text."""
    entities: list[dict[str, Any]] = []
    if parse_mode is None:
        plain = text
    elif parse_mode.upper() == "HTML":
        plain, entities = _parse(text)
    else:
        raise bad_request("unsupported parse_mode")
    if not plain.strip():
        raise bad_request("message text is empty")
    return plain, entities


def check_length(plain: str) -> None:
    """BotApiRefusal where there are too many; before that Telegram looks for where it stands."""
    if units(plain) > LONGEST_TEXT:
        raise bad_request("message is too long")


def _parse(text: str) -> tuple[str, list[dict[str, Any]]]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise _unparsed(f'can\'t find end tag corresponding to start tag "{reader.open[-1].tag}"')
    return reader.plain, reader.entities


def _unparsed(why: str) -> Exception:
    return bad_request(f"can't parse entities: {why}")


def _moment(told: dict[str, str]) -> dict[str, Any]:
    """The fields of a moment's entity by its tag's."""
    unix, form = told.get("unix", ""), told.get("format", "")
    if not unix.isdecimal() or not _MOMENT_FORM.fullmatch(form):
        raise _unparsed('wrong moment in the tag "tg-time"')
    return {"unix_time": int(unix)} | ({"date_time_format": form} if form else {})


@dataclass
class _Open:
    tag: str
    offset: int
    url: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Reader(HTMLParser):
    """Strict where a browser is lenient: Telegram refuses what it doesn't know."""

    plain: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=False)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ENTITIES:
            raise _unparsed(f'unsupported start tag "{tag}"')
        told = {name: value or "" for name, value in attrs}
        more = _moment(told) if tag == "tg-time" else {}
        self.open.append(_Open(tag, units(self.plain), told.get("href", ""), more))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            raise _unparsed(f'unexpected end tag "{tag}"')
        begun = self.open.pop()
        entity: dict[str, Any] = {
            "type": _ENTITIES[tag],
            "offset": begun.offset,
            "length": units(self.plain) - begun.offset,
        } | begun.more
        if begun.url:
            entity["url"] = unescape(begun.url)
        self.entities.append(entity)

    def handle_data(self, data: str) -> None:
        if "<" in data:
            raise _unparsed("unclosed start tag")
        self.plain += data

    def handle_entityref(self, name: str) -> None:
        # Telegram takes these four names and leaves any other as it stands.
        self.plain += unescape(f"&{name};") if name in _NAMED else f"&{name};"

    def handle_charref(self, name: str) -> None:
        self.plain += unescape(f"&#{name};")

    def handle_comment(self, _data: str) -> None:
        raise _unparsed('unsupported start tag "!--"')
