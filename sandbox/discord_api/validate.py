"""Whether Discord would take a payload: each documented limit, by the path of what breaks it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.discord_api import limit
from sandbox.discord_api.interaction import INTEGER, STRING

Payload = Mapping[str, Any]

_COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
_BUTTON, _LINK_STYLE = 2, 5
_EMBED_KEYS = {
    *("title", "description", "type", "url", "color", "timestamp", "flags"),
    *("fields", "footer", "author", "image", "thumbnail"),
}


def message(payload: Payload) -> list[str]:
    """The problems of a message that is sent or edited."""
    return [
        *_longer(payload, "content", limit.CONTENT, empty=True),
        *_embeds(payload.get("embeds") or []),
        *_components(payload.get("components") or []),
        *_mentions(payload),
        *_sayable(payload),
    ]


def choices(payload: Payload, kind: int = STRING) -> list[str]:
    """The problems of an autocomplete answer, for an option of that type."""
    offered = payload.get("choices", [])
    problems = [f"choices: {len(offered)} of {limit.CHOICES}"] * (len(offered) > limit.CHOICES)
    for choice in offered:
        problems += _longer(choice, "name", limit.CHOICE_NAME)
        value = choice["value"]
        if kind == INTEGER and not (type(value) is int and abs(value) <= limit.INTEGER):
            problems.append(f"value: {value!r}, to an integer")
        elif kind != INTEGER:
            problems += _longer(choice, "value", limit.CHOICE_VALUE)
    return problems


def command(payload: Payload) -> list[str]:
    """The problems of an application command's definition."""
    together = sum(_weight(part) for part in _parts(payload))
    return [
        f"command: {together} characters of {limit.COMMAND_TOGETHER}"
        for _ in range(together > limit.COMMAND_TOGETHER)
    ] + [problem for part in _parts(payload) for problem in _part(part)]


def _parts(payload: Payload) -> Iterator[Payload]:
    yield payload
    for option in payload.get("options", []):
        yield from _parts(option)


def _weight(part: Payload) -> int:
    return len(part["name"]) + len(part.get("description", ""))


def _part(part: Payload) -> Iterator[str]:
    name = part["name"]
    if not _COMMAND_NAME.fullmatch(name) or name != name.lower():
        yield f"name: {name!r}"
    yield from _longer(part, "description", limit.COMMAND_DESCRIPTION)
    options = part.get("options", [])
    if len(options) > limit.OPTIONS:
        yield f"options: {len(options)} of {limit.OPTIONS}"
    if part.get("autocomplete") and part.get("choices"):
        yield f"{name}: autocomplete and choices exclude each other"
    required = [option.get("required", False) for option in options]
    if sorted(required, reverse=True) != required:
        yield f"{name}: required options come first"


def _embeds(embeds: Sequence[Payload]) -> Iterator[str]:
    if len(embeds) > limit.EMBEDS:
        yield f"embeds: {len(embeds)} of {limit.EMBEDS}"
    together = 0
    for embed in embeds:
        yield from (f"embed: unknown key {key}" for key in embed if key not in _EMBED_KEYS)
        for where, text, longest in _texts(embed):
            together += len(text)
            if len(text) > longest:
                yield f"embed {where}: {len(text)} of {longest}"
            if text != text.strip():
                yield f"embed {where}: space at an end, which Discord trims"
        fields = embed.get("fields", [])
        if len(fields) > limit.EMBED_FIELDS:
            yield f"embed fields: {len(fields)} of {limit.EMBED_FIELDS}"
        for field in fields:
            yield from (f"embed field: empty {key}" for key in ("name", "value") if not field[key])
    if together > limit.EMBEDS_TOGETHER:
        yield f"embeds: {together} characters of {limit.EMBEDS_TOGETHER}"


def _texts(embed: Payload) -> Iterator[tuple[str, str, int]]:
    yield "title", embed.get("title") or "", limit.EMBED_TITLE
    yield "description", embed.get("description") or "", limit.EMBED_DESCRIPTION
    yield "footer", (embed.get("footer") or {}).get("text", ""), limit.FOOTER
    yield "author", (embed.get("author") or {}).get("name", ""), limit.AUTHOR
    for field in embed.get("fields", []):
        yield "field name", field["name"], limit.FIELD_NAME
        yield "field value", field["value"], limit.FIELD_VALUE


def _components(rows: Sequence[Payload]) -> Iterator[str]:
    if len(rows) > limit.ROWS:
        yield f"rows: {len(rows)} of {limit.ROWS}"
    for row in rows:
        buttons = row["components"]
        if not 1 <= len(buttons) <= limit.BUTTONS_A_ROW:
            yield f"row: {len(buttons)} buttons"
        for button in buttons:
            yield from _button(button)
    buttons = [button for row in rows for button in row["components"]]
    ids = [button["custom_id"] for button in buttons if "custom_id" in button]
    yield from (f"custom_id twice: {id_}" for id_ in set(ids) if ids.count(id_) > 1)


def _button(button: Payload) -> Iterator[str]:
    if button["type"] != _BUTTON:
        yield f"component of type {button['type']}: this server draws buttons only"
        return
    if not button.get("label") and not button.get("emoji"):
        yield "button: neither label nor emoji"
    if button.get("label"):
        yield from _longer(button, "label", limit.LABEL)
    if button["style"] == _LINK_STYLE:
        yield from _longer(button, "url", limit.LINK)
    else:
        yield from _longer(button, "custom_id", limit.CUSTOM_ID)


def _mentions(payload: Payload) -> Iterator[str]:
    """A message that leaves out `allowed_mentions` pings whomever its text happens to name."""
    if "allowed_mentions" not in payload:
        if payload.get("content"):
            yield "allowed_mentions: left out beside content"
        if payload.get("message_reference"):
            yield "allowed_mentions: left out of an answer, which pings whom it answers"
    allowed = payload.get("allowed_mentions") or {}
    for kind in ("users", "roles"):
        if kind in allowed.get("parse", []) and allowed.get(kind):
            yield f"allowed_mentions: {kind} both parsed and listed"


def _sayable(payload: Payload) -> Iterator[str]:
    said = [payload[key] for key in ("content", "embeds", "components") if key in payload]
    if said and not any(said):
        yield "message: empty"


def _longer(payload: Payload, key: str, longest: int, *, empty: bool = False) -> Iterator[str]:
    text = payload.get(key) or ""
    if len(text) > longest or (not text and not empty):
        yield f"{key}: {len(text)} of {longest}"
