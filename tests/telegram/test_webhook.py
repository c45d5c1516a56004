"""Updates that Telegram brings itself."""

import asyncio
import gzip
import io
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from clawbot.telegram.webhook import SECRET_HEADER
from tests.idle import idle
from tests.telegram.scene import TelegramScene

SECRET = "a-secret-of-the-webhook"
Dialled = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def listening(port: int | None) -> list[tuple[str, int]]:
    """Where somebody listens on that port, as the kernel has it; of IPv6 the raw digits."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    ends = [row[1].split(":") for row in rows if row[3] == "0A"]
    found = [(host, int(end, 16)) for host, end in ends if int(end, 16) == port]
    return [
        (socket.inet_ntoa(bytes.fromhex(host)[::-1]) if len(host) == 8 else host, end)
        for host, end in found
    ]


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
    assert scene.telegram.updates.allowed == ["message", "callback_query", "my_chat_member"]


async def test_who_does_not_know_the_secret_is_refused(scene: TelegramScene) -> None:
    url = await serving(scene)
    asked = await scene.say("/fleet deploy claw-2")
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guessed"}):
            async with session.post(
                url, json=scene.telegram.updates.waiting[0], headers=headers
            ) as answer:
                assert answer.status == 403
        for odd in (b"{", b"[" * 100_000, b"\xff"):
            async with session.post(url, data=odd, headers={SECRET_HEADER: SECRET}) as answer:
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


async def dial(scene: TelegramScene, url: str, said: bytes) -> Dialled:
    """A connection that has said so much, once the bot waits for the rest of it."""
    there, waiting = urlsplit(url), scene.clock.sleeping
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    writer.write(said)
    await scene.clock.asleep(waiting + 1)
    return reader, writer


@pytest.mark.parametrize("said", [b"", b"P", b"POST /telegram HTTP/1.1\r\nHost: bot\r\nX-Slow: "])
async def test_who_does_not_come_to_an_end_within_ten_seconds_is_dropped(
    scene: TelegramScene, said: bytes
) -> None:
    url = await serving(scene)
    reader, writer = await dial(scene, url, said)
    for _ in range(9):
        await scene.clock.turn(1)
        writer.write(b"x" if said.endswith(b": ") else b"")
        await writer.drain()
    await scene.clock.turn(0.9)
    assert not reader.at_eof()

    await scene.clock.turn(0.1)

    async with asyncio.timeout(10):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_who_asks_in_time_is_heard_and_may_ask_again(scene: TelegramScene) -> None:
    there = urlsplit(url := await serving(scene))
    head = f"POST {there.path} HTTP/1.1\r\nHost: bot\r\n{SECRET_HEADER}: {SECRET}\r\n"
    ask = f"{head}Content-Length: 2\r\n\r\n{{}}".encode()
    reader, writer = await dial(scene, url, b"")
    async with asyncio.timeout(10):
        for _ in range(2):
            await scene.clock.turn(9.9)
            writer.write(ask[:20])
            await asyncio.sleep(0)
            writer.write(ask[20:])
            assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"200"
            await scene.clock.turn(60)
    writer.close()


async def test_who_is_refused_is_not_kept(scene: TelegramScene) -> None:
    url = await serving(scene)
    for path, status in ((urlsplit(url).path, b"403"), ("/elsewhere", b"404")):
        ask = f"POST {path} HTTP/1.1\r\nHost: bot\r\nContent-Length: 0\r\n\r\n"
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        writer.write(ask.encode())
        async with asyncio.timeout(10):
            assert (await reader.read()).split()[1] == status
        writer.close()


HEAD = f"POST /telegram HTTP/1.1\r\nHost: a\r\n{SECRET_HEADER}: {SECRET}\r\n".encode()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (HEAD + b"Content-Length: 100\r\n\r\n{", "telegram.body_broken_off why=ConnectionReset"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", "telegram.body_broken_off why="),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n", "telegram.request_unreadable"),
        (b"POST /telegram HTTP/1.1\r\nno header\r\n\r\n", "telegram.request_unreadable"),
    ],
)
async def test_what_is_no_request_or_breaks_off_is_a_line_of_the_log(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture, said: bytes, line: str
) -> None:
    url = await serving(scene)
    _, writer = await dial(scene, url, said)
    await idle()
    writer.close()

    await scene.until(lambda: line in caplog.text)
    assert "Traceback" not in caplog.text


async def test_a_hundred_are_connected_at_the_most(scene: TelegramScene) -> None:
    url = await serving(scene)
    there = [await dial(scene, url, b"POST") for _ in range(100)]
    reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()

    there[0][1].close()
    there[1][1].close()
    asked = await scene.say("/fleet help")
    await scene.until(lambda: scene.clock.sleeping < 100)
    await scene.telegram.deliver(scene.telegram.updates.waiting[0])
    await scene.reply_to(asked)
    for _, other in there:
        other.close()


async def test_it_listens_on_this_machine_alone_unless_told(scene: TelegramScene) -> None:
    port = urlsplit(await serving(scene)).port

    assert {one for one, _ in listening(port)} == {"127.0.0.1"}


async def test_what_is_packed_is_not_unpacked(scene: TelegramScene) -> None:
    url = await serving(scene)
    bomb = gzip.compress(bytes(64 << 20), 9)
    headers = {SECRET_HEADER: SECRET, "Content-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=bomb, headers=headers) as answer,
    ):
        assert answer.status == 200  # 64 KiB that are no JSON: taken, and forgotten


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
    scene.run(
        CLAWBOT_TELEGRAM_WEBHOOK_URL="https://bot.example/telegram",
        CLAWBOT_TELEGRAM_WEBHOOK_PORT="0",
        CLAWBOT_TELEGRAM_WEBHOOK_SECRET=SECRET,
    )
    await scene.until(lambda: scene.told)
    assert scene.told[0].startswith("STATUS=Telegram: A webhook is set for this bot (hook.example)")
    assert scene.telegram.called("setWebhook") == []
    scene.telegram.methods.webhook["url"] = ""
    await scene.until(lambda: scene.told[1:] == ["READY=1\nSTATUS="])
    assert scene.telegram.methods.webhook["url"] == "https://bot.example/telegram"


async def test_one_that_somebody_sets_later_is_noticed_and_left_within_a_minute(
    scene: TelegramScene,
) -> None:
    url = await serving(scene)
    await scene.until(lambda: scene.told)
    scene.telegram.methods.webhook["url"] = "https://hook.example/x"
    await scene.clock.asleep(1)
    noticed = scene.clock.now()
    await scene.until(lambda: len(scene.told) > 1)
    assert scene.clock.now() - noticed <= 61
    assert scene.told[1].startswith("STATUS=Telegram: A webhook is set for this bot (hook.example)")
    assert scene.telegram.methods.webhook["url"] == "https://hook.example/x"
    scene.telegram.methods.webhook["url"] = ""
    await scene.until(lambda: scene.told[2:] == ["STATUS="])
    assert scene.telegram.methods.webhook["url"] == url


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
