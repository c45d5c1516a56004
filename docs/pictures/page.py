"""A page that draws messages as Discord's dark client does."""

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from docs.pictures.markdown import drawn
from sandbox.discord_api.guild import Message

WIDTH = 680
STYLE = """
body { margin: 0; background: #313338; color: #dbdee1; padding: 16px 16px 20px;
       font: 16px/1.375 "Noto Sans", "gg sans", sans-serif; }
.message { display: flex; margin-bottom: 14px; }
.avatar { width: 40px; height: 40px; border-radius: 50%; background: #5865f2; color: #fff;
          font: bold 20px/40px "Noto Sans", sans-serif; text-align: center; margin-right: 16px;
          flex: none; }
.asked { font-size: 13px; color: #b5bac1; margin-bottom: 2px; }
.name { color: #f2f3f5; font-weight: 500; }
.app { background: #5865f2; color: #fff; font-size: 10px; border-radius: 4px; padding: 1px 5px;
       vertical-align: 2px; }
.when { color: #949ba4; font-size: 12px; margin-left: 4px; }
.embed { max-width: 520px; background: #2b2d31; border-left: 4px solid; border-radius: 4px;
         padding: 10px 16px 14px 12px; margin-top: 4px; font-size: 14px; }
.title { font-size: 16px; font-weight: 600; color: #f2f3f5; margin-bottom: 6px; }
.title.link { color: #00a8fc; }
.field { margin-top: 8px; } .field b { color: #f2f3f5; }
.foot { margin-top: 8px; font-size: 12px; color: #949ba4; }
.small { font-size: 12px; color: #949ba4; }
code { background: #1e1f22; border-radius: 4px; padding: 1px 4px;
       font: 12.5px "Noto Sans Mono", "DejaVu Sans Mono", monospace; }
.mention { background: #3c4270; color: #c9cdfb; border-radius: 3px; padding: 0 2px; }
.to { color: #00a8fc; }
.moment { background: #3d3f45; border-radius: 3px; padding: 0 2px; }
.buttons { margin-top: 6px; display: flex; gap: 8px; }
.button { color: #fff; border-radius: 4px; font-size: 14px; font-weight: 500; padding: 5px 16px; }
.s1 { background: #5865f2; } .s2 { background: #4e5058; } .s3 { background: #248046; }
.s4 { background: #da373c; } .s5 { background: #4e5058; }
"""


def page(messages: Iterable[Message], names: Mapping[str, str], now: float, asked: str = "") -> str:
    """`names` by id; `asked` is what the small line above the first message says."""
    body = "".join(_message(one, names, now, asked) for one in messages)
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body>{body}</body>'


def _message(message: Message, names: Mapping[str, str], now: float, asked: str) -> str:
    name = html.escape(message.author.name)
    app = ' <span class="app">APP</span>' if message.author.bot else ""
    when = datetime.fromtimestamp(now, UTC).strftime("%H:%M")
    content = message.body.get("content") or ""
    return (
        f'<div class="message"><div class="avatar">{name[0].upper()}</div><div>'
        f'<div class="asked">{html.escape(asked)}</div>'
        f'<span class="name">{name}</span>{app} <span class="when">Today at {when}</span>'
        + (drawn(content, names, now) if content else "")
        + "".join(_embed(embed, names, now) for embed in message.body.get("embeds") or [])
        + "".join(_row(row) for row in message.body.get("components") or [])
        + "</div></div>"
    )


def _embed(embed: Mapping[str, Any], names: Mapping[str, str], now: float) -> str:
    parts = []
    if embed.get("title"):
        link = " link" if embed.get("url") else ""
        parts.append(f'<div class="title{link}">{drawn(embed["title"], names, now)}</div>')
    if embed.get("description"):
        parts.append(drawn(embed["description"], names, now))
    for field in embed.get("fields", []):
        value = drawn(field["value"], names, now)
        parts.append(f'<div class="field"><b>{html.escape(field["name"])}</b>{value}</div>')
    foot = [html.escape((embed.get("footer") or {}).get("text", ""))]
    if embed.get("timestamp"):
        taken = datetime.fromisoformat(embed["timestamp"])
        foot.append(f"Today at {taken.astimezone(UTC).strftime('%H:%M')}")
    if any(foot):
        parts.append(f'<div class="foot">{" • ".join(part for part in foot if part)}</div>')
    colour = f"#{embed.get('color') or 0x1E1F22:06x}"
    return f'<div class="embed" style="border-color: {colour}">{"".join(parts)}</div>'


def _row(row: Mapping[str, Any]) -> str:
    buttons = "".join(
        f'<span class="button s{button["style"]}">{html.escape(button.get("label") or "")}</span>'
        for button in row["components"]
    )
    return f'<div class="buttons">{buttons}</div>'
