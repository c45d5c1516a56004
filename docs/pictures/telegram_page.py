"""A page that draws a message of a bot as Telegram's dark client does."""

import html
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from docs.pictures.markdown import relative

STYLE = """
body { margin: 0; background: #0e1621; color: #f5f5f5; padding: 16px 16px 20px;
       font: 15px/1.4 "Noto Sans", "Open Sans", sans-serif; }
.asked { background: #2b5278; border-radius: 12px 12px 4px 12px; padding: 6px 12px;
         margin: 0 0 8px auto; width: fit-content; }
.bubble { background: #182533; border-radius: 12px 12px 12px 4px; padding: 8px 12px 6px;
          width: fit-content; max-width: 600px; white-space: pre-wrap;
          overflow-wrap: anywhere; }
.name { color: #6ab3f3; font-weight: 600; }
.when { color: #6d7f8f; font-size: 12px; text-align: right; }
code, pre { color: #8bc5f5; font: 13.5px "Noto Sans Mono", "DejaVu Sans Mono", monospace; }
a { color: #6ab3f3; text-decoration: none; }
.row { display: flex; gap: 4px; margin-top: 4px; max-width: 624px; }
.button { background: #1f2f3f; border-radius: 6px; flex: 1; text-align: center; padding: 7px; }
"""
_TAGS: Mapping[str, str] = {"bold": "b", "code": "code", "pre": "pre", "text_link": "a"}


def page(message: Mapping[str, Any], asked: str = "", now: float = 0.0) -> str:
    """The message below the words that asked for it, if any; `now` in Unix seconds, for moments."""
    when = datetime.fromtimestamp(message["date"], UTC).strftime("%H:%M")
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    name = html.escape(message["from"]["first_name"])
    above = f'<div class="asked">{html.escape(asked)}</div>' if asked else ""
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body>{above}'
        f'<div class="bubble"><div class="name">{name}</div>{drawn(message, now)}'
        f'<div class="when">{when}</div></div>{"".join(map(_row, rows))}</body>'
    )


def drawn(message: Mapping[str, Any], now: float) -> str:
    """The text with its entities as HTML; offsets count UTF-16 units, as Telegram does."""
    raw = message["text"].encode("utf-16-le")
    marks: list[tuple[int, int, int, str]] = []
    for number, entity in enumerate(message.get("entities", [])):
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if tag := _TAGS.get(entity["type"]):
            marks += [(begin, number, begin, f"<{tag}>"), (end, -number - 1, end, f"</{tag}>")]
        elif entity["type"] == "date_time":
            marks.append((begin, number, end, relative(entity["unix_time"] - now)))
    return "".join(_pieces(raw, sorted(marks, key=lambda one: one[:2])))


def _pieces(raw: bytes, marks: list[tuple[int, int, int, str]]) -> Iterator[str]:
    """Each mark is where it begins, its rank there, where the text goes on, and what it shows."""
    place = 0
    for at, _, on, mark in marks:
        yield html.escape(raw[2 * place : 2 * at].decode("utf-16-le"))
        yield mark
        place = on
    yield html.escape(raw[2 * place :].decode("utf-16-le"))


def _row(row: list[Mapping[str, Any]]) -> str:
    buttons = (f'<span class="button">{html.escape(one["text"])}</span>' for one in row)
    return f'<div class="row">{"".join(buttons)}</div>'
