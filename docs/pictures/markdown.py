"""The part of Discord's markdown that our messages use, as HTML."""

import html
import re
from collections.abc import Callable, Mapping

_TOKENS = re.compile(
    r"\\(?P<escaped>[^\w\s])"
    r"|`(?P<code>[^`]+)`"
    r"|\*\*(?P<bold>.+?)\*\*"
    r"|<@&?(?P<person>\d+)>"
    r"|<#(?P<channel>\d+)>"
    r"|<t:(?P<moment>\d+):R>"
    r"|\[(?P<link>[^\]]+)\]\([^)]+\)"
)


def drawn(text: str, names: Mapping[str, str], now: float) -> str:
    """`names` are people's, roles' and channels' by id; `now` in Unix seconds."""
    lines = (_line(line, lambda one: _inline(one, names, now)) for line in text.split("\n"))
    return "".join(lines)


def _line(line: str, inline: Callable[[str], str]) -> str:
    if line.startswith("-# "):
        return f'<div class="small">{inline(line[3:])}</div>'
    return f"<div>{inline(line) or '&nbsp;'}</div>"


def _inline(text: str, names: Mapping[str, str], now: float) -> str:
    done, place = [], 0
    for found in _TOKENS.finditer(text):
        done.append(html.escape(text[place : found.start()]))
        done.append(_token(found, names, now))
        place = found.end()
    return "".join([*done, html.escape(text[place:])])


def _token(found: re.Match[str], names: Mapping[str, str], now: float) -> str:
    kind, value = found.lastgroup, found[found.lastgroup or 0]
    match kind:
        case "code":
            return f"<code>{html.escape(value)}</code>"
        case "bold":
            return f"<b>{_inline(value, names, now)}</b>"
        case "person" | "channel":
            sign = "@" if kind == "person" else "#"
            return f'<span class="mention">{sign}{html.escape(names.get(value, value))}</span>'
        case "link":
            return f'<span class="to">{html.escape(value)}</span>'
        case "moment":
            return f'<span class="moment">{relative(int(value) - now)}</span>'
    return html.escape(value)


def relative(seconds: float) -> str:
    """`3 days ago`, `in 2 minutes`, as Discord's clients say it."""
    away = abs(seconds)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count = round(away / length)
        if count:
            many = (
                f"{count} {unit}{'s' * (count > 1)}"
                if count > 1
                else f"a{'n' * (unit == 'hour')} {unit}"
            )
            return f"{many} ago" if seconds < 0 else f"in {many}"
    return "now"
