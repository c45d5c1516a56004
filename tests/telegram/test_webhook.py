"""Updates that Telegram brings itself."""

import asyncio
import io
import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

from clawbot.front import Unserved
from clawbot.telegram.webhook import SECRET_HEADER
from tests.telegram.scene import TelegramScene

SECRET = "a-secret-of-the-webhook"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


async def serving(scene: TelegramScene, port: int = 0) -> str:
    """A bot that listens; the URL it gave to Telegram."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}/telegram"
    before = len(scene.telegram.called("setWebhook"))
    scene.run(
        CLAWBOT_TELEGRAM_WEBHOOK_URL=url,
        CLAWBOT_TELEGRAM_WEBHOOK_PORT=str(port),
        CLAWBOT_TELEGRAM_WEBHOOK_SECRET=SECRET,
    )
    await scene.until(lambda: len(scene.telegram.called("setWebhook")) > before, each=0.1)
    await scene.until(lambda: scene.telegram.methods.webhook["url"] == url)
    return url


async def test_what_telegram_brings_is_answered_once(scene: TelegramScene) -> None:
    await serving(scene)
    asked = await scene.say("/fleet status")
    update = scene.telegram.updates.waiting[0]
    assert await scene.telegram.deliver(update) == 200
    assert await scene.telegram.deliver(update) == 200  # as after an answer that got lost
    await scene.reply_to(asked)
    help_ = await scene.say("/fleet help")
    await scene.telegram.deliver(scene.telegram.updates.waiting[0])
    await scene.reply_to(help_)
    assert len(scene.telegram.history.shown(asked["chat"]["id"])) == 2
    assert scene.telegram.called("getUpdates") == []
    assert scene.telegram.updates.allowed == ["message", "callback_query"]


async def test_who_does_not_know_the_secret_is_refused(scene: TelegramScene) -> None:
    url = await serving(scene)
    asked = await scene.say("/fleet deploy claw-2")
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guessed"}):
            async with session.post(
                url, json=scene.telegram.updates.waiting[0], headers=headers
            ) as answer:
                assert answer.status == 403
        async with session.post(
            url, data=b"{", headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}
        ) as answer:
            assert answer.status == 200
    help_ = await scene.say("/fleet help")
    await scene.telegram.deliver(scene.telegram.updates.waiting[1])
    await scene.reply_to(help_)
    assert scene.answer_to(asked) is None


async def test_a_secret_of_any_bytes_is_refused_like_a_wrong_one(scene: TelegramScene) -> None:
    url = urlsplit(await serving(scene))
    head = f"POST {url.path} HTTP/1.1\r\nHost: bot\r\nContent-Length: 2\r\n{SECRET_HEADER}: "
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(head.encode() + b"\xff\xfe" + SECRET.encode() + b"\r\n\r\n{}")
        assert (await reader.readline()).split()[1] == b"403"
        writer.close()
        await writer.wait_closed()


async def test_what_can_not_be_read_is_taken_and_forgotten(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await serving(scene)
    update = {"update_id": 77, "message": {"message_id": 9, "text": "between us"}}
    assert await scene.telegram.deliver(update) == 200
    assert "telegram.update_unreadable update_id=77 why=KeyError" in caplog.text
    assert "between us" not in caplog.text


async def test_a_stop_leaves_the_webhook_to_the_successor(scene: TelegramScene) -> None:
    url = await serving(scene)
    await scene.stop()
    assert scene.telegram.methods.webhook["url"] == url


async def test_somebody_elses_webhook_is_not_replaced(scene: TelegramScene) -> None:
    scene.telegram.methods.webhook["url"] = "https://hook.example/x"
    task = scene.run(
        CLAWBOT_TELEGRAM_WEBHOOK_URL="https://bot.example/telegram",
        CLAWBOT_TELEGRAM_WEBHOOK_PORT="0",
        CLAWBOT_TELEGRAM_WEBHOOK_SECRET=SECRET,
    )
    await scene.until(task.done)
    with pytest.raises(Unserved, match=r"hook\.example"):
        task.result()
    assert scene.telegram.called("setWebhook") == []


@pytest.mark.parametrize(("length", "status"), [(1_000_000, 200), (1_100_000, 413)])
async def test_an_update_may_have_a_mebibyte(
    scene: TelegramScene, length: int, status: int
) -> None:
    url = await serving(scene)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            url, data=io.BytesIO(b"{".ljust(length)), headers={SECRET_HEADER: SECRET}
        ) as answer,
    ):
        assert answer.status == status
