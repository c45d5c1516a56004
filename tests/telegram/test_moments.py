"""Moments that each reader's Telegram keeps current; what knows none shows them in UTC."""

import pytest
from telegram.error import BadRequest

from clawbot.telegram.buttons import DrawnText
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.markup import as_read, moment
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.rate_limit import RateLimit
from sandbox.telegram_api.markup import read_text
from tests.telegram.library_bot import library_bot
from tests.telegram.scene import FLEET, SOON, TOKEN, TelegramScene

AT, SPELLED = 1_790_000_000.5, "2026-09-21 14:13 UTC"
UNKNOWN = 'Bad Request: can\'t parse entities: Unsupported start tag "tg-time" at byte offset 6'


def test_a_moment_is_one_of_telegrams_and_stands_in_utc() -> None:
    drawn = moment(AT)
    text, entities = read_text(f"over {drawn}", "HTML")
    assert text == as_read(f"over {drawn}") == f"over {SPELLED}"
    told = {"unix_time": int(AT), "date_time_format": "r"}
    assert entities == [{"type": "date_time", "offset": 5, "length": 20, **told}]


@pytest.mark.parametrize("form", ["R", "rt", "Tt", "x"])
async def test_the_server_on_loopback_takes_no_other_forms_than_telegram(form: str) -> None:
    with pytest.raises(Exception, match="wrong moment"):
        read_text(f'<tg-time unix="1" format="{form}">x</tg-time>', "HTML")


async def test_a_server_that_knows_no_moments_is_told_the_same_without_them(
    scene: TelegramScene,
) -> None:
    async with library_bot(TOKEN, scene.telegram.url) as bot:
        outbox = Outbox(bot, scene.clock, RateLimit(scene.clock, SOON), FleetChats([FLEET]))
        drawn = DrawnText(f"over {moment(AT)}")
        known = await outbox.send(FLEET, drawn)
        scene.telegram.weather.refuse("sendMessage", 400, UNKNOWN)
        await outbox.send(FLEET, drawn)
        await outbox.edit(FLEET, known.message, DrawnText(f"was over {moment(AT)}"))
        first, second = scene.telegram.history.shown(FLEET)
        assert second["text"] == f"over {SPELLED}"
        assert first["text"] == f"was over {SPELLED}"
        assert "entities" not in first | second
        scene.telegram.weather.refuse("sendMessage", 400, UNKNOWN)
        with pytest.raises(BadRequest):
            await outbox.send(FLEET, drawn)
