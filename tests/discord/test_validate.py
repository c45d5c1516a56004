"""The validator knows each limit that Discord documents."""

from typing import Any

import pytest

from sandbox.discord_api import validate


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": "Go", "custom_id": "x", **more}


def rows(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": 1, "components": list(buttons)}]


def field(**more: str) -> dict[str, Any]:
    return {"fields": [{"name": "n", "value": "v", **more}]}


BROKEN: dict[str, dict[str, Any]] = {
    "content": {"content": "x" * 2001, "allowed_mentions": {}},
    "embeds": {"embeds": [{"title": "x"}] * 11},
    "title": {"embeds": [{"title": "x" * 257}]},
    "description": {"embeds": [{"description": "x" * 4097}]},
    "fields": {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]},
    "field name": {"embeds": [field(name="x" * 257)]},
    "field value": {"embeds": [field(value="x" * 1025)]},
    "space at an end": {"embeds": [field(value="x\n")]},
    "nothing but space": {"embeds": [field(value=" ")]},
    "empty field": {"embeds": [field(value="")]},
    "footer": {"embeds": [{"footer": {"text": "x" * 2049}}]},
    "author": {"embeds": [{"author": {"name": "x" * 257}}]},
    "together": {"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]},
    "unknown key": {"embeds": [{"titel": "x"}]},
    "rows": {"components": rows(button()) * 6},
    "buttons": {"components": rows(*(button(custom_id=str(n)) for n in range(6)))},
    "no button": {"components": rows()},
    "label": {"components": rows(button(label="x" * 81))},
    "no label": {"components": rows(button(label=""))},
    "custom_id": {"components": rows(button(custom_id="x" * 101))},
    "twice": {"components": rows(button(), button())},
    "link": {"components": rows({"type": 2, "style": 5, "label": "x", "url": "x" * 513})},
    "select": {"components": rows({"type": 3})},
    "pings whom it answers": {"embeds": [{"title": "x"}], "message_reference": {"message_id": 1}},
    "pings": {"content": "<@1>"},
    "both": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
    "empty": {"content": "", "embeds": []},
}


@pytest.mark.parametrize("payload", BROKEN.values(), ids=BROKEN)
def test_a_message_that_breaks_a_limit(payload: dict[str, Any]) -> None:
    assert validate.message(payload)


def test_a_message_at_every_limit() -> None:
    full = {"title": "x" * 256, "description": "x" * 4096, "footer": {"text": "x" * 1648}}
    buttons = [button(custom_id=str(n), label="x" * 80) for n in range(5)]
    assert validate.message({"embeds": [full], "components": rows(*buttons)}) == []


def test_choices() -> None:
    one = {"name": "x", "value": "x"}
    assert validate.choices({"choices": [one] * 25}) == []
    assert validate.choices({"choices": [one] * 26})
    assert validate.choices({"choices": [{**one, "name": "x" * 101}]})
    assert validate.choices({"choices": [{**one, "value": "x" * 101}]})
    for value in (2**53, 7):
        assert validate.choices({"choices": [{**one, "value": value}]}, 4) == []
    for wrong in ("7", 2**53 + 1, True):
        assert validate.choices({"choices": [{**one, "value": wrong}]}, 4)


def test_commands() -> None:
    good: dict[str, Any] = {"name": "fleet", "description": "x"}
    optional = {"name": "a", "description": "x", "type": 3}
    assert validate.command(good) == []
    assert validate.command({**good, "name": "Fleet"})
    assert validate.command({**good, "name": "x" * 33})
    assert validate.command({**good, "description": "x" * 101})
    assert validate.command({**good, "description": ""})
    assert validate.command({**good, "options": [optional] * 26})
    assert validate.command({**good, "options": [optional, {**optional, "required": True}]})
    assert validate.command(
        {**good, "options": [{**optional, "autocomplete": True, "choices": [1]}]}
    )
    long = {**optional, "description": "x" * 100}
    assert validate.command({**good, "options": [{**long, "options": [long] * 25}] * 4})
