"""`clawbot run` says in a sentence why it can't, and tries a front again that stopped."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable

import pytest

from clawbot.bot import Bot, assemble
from clawbot.front import BadSettings, Front, Unserved
from clawbot.readiness import FrontReadiness
from clawbot.serve import (
    serve,
    side_by_side,
)
from clawbot.settings import load
from tests.fleet_control.hasty_clock import HastyClock
from tests.program import running

SETTINGS = {
    "CLAWBOT_NAME": "demo",
    "CLAWBOT_REGION": "eu-central-1",
    "CLAWBOT_CONTROL_API_URL": "http://127.0.0.1:1/",
    "CLAWBOT_CONTROL_TOKEN": "token",
    "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
    "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
}


def test_without_settings_it_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve({}) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "clawbot can't serve:"
    assert len(said) == 7


def test_without_a_token_there_is_no_front(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(SETTINGS) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  No front is configured: set CLAWBOT_DISCORD_TOKEN or CLAWBOT_TELEGRAM_TOKEN."
    ]


def test_on_a_host_without_a_token_of_its_own_it_says_which_field_to_add(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert serve({**SETTINGS, "CLAWBOT_NAME": "", "CLAWBOT_INSTANCE": "claw-1"}) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  The bot has no token of its own here: let the entry `claw-1` of nix/instances.json name "
        "one's secret as `clawbotDiscordTokenSecret` or `clawbotTelegramTokenSecret`, take it in "
        "with `clawbot secrets take`, and deploy claw-1. The agent's is not the bot's."
    ]


@pytest.mark.parametrize("wrong", [{}, {"CLAWBOT_RUNNING_EVERY": "often"}])
async def test_whoever_reads_the_log_as_json_finds_there_why_it_can_t_serve(
    wrong: dict[str, str],
) -> None:
    environ = {**SETTINGS, **wrong, "CLAWBOT_LOG": "json"}
    source = f"import sys; from clawbot.serve import serve; sys.exit(serve({environ}))"
    async with running(source, {}) as program, asyncio.timeout(30):
        output, log = await program.process.communicate()

    (line,) = map(json.loads, log.decode().splitlines())
    why = "CLAWBOT_RUNNING_EVERY is wrong" if wrong else "No front is configured"
    assert (line["level"], line["event"]) == ("error", "clawbot.cannot_serve")
    assert line["why"].startswith(why)
    assert (program.process.returncode, output) == (1, b"")


def test_what_nobody_foresaw_is_in_the_log_and_in_no_trace_beside_it(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Only there it has the log's form, and no secret."""
    token = {"CLAWBOT_TELEGRAM_TOKEN": "7:" + "A" * 35, "CLAWBOT_TELEGRAM_CHATS": "-1007"}
    assert serve({**SETTINGS, **token, "NOTIFY_SOCKET": "/no/such/socket"}) == 1
    logging.captureWarnings(False)
    (said,) = caplog.records
    assert (said.getMessage(), said.exc_info and said.exc_info[0]) == (
        "clawbot.broken",
        FileNotFoundError,
    )
    assert capsys.readouterr().err == ""


async def pauses(serves: list[float], stop: Callable[[], None]) -> list[float]:
    """Between the tries of a front that serves so many seconds each time, and stops like that."""
    clock = HastyClock()
    begun: list[float] = []
    ended: list[float] = []

    async def run(bot: Bot, _told: FrontReadiness) -> None:
        if len(begun) == len(serves):
            raise BadSettings("Enough.")
        begun.append(clock.now())
        await bot.clock.sleep(serves[len(begun) - 1])
        ended.append(clock.now())
        stop()

    async with assemble(load(SETTINGS), clock) as bot, asyncio.timeout(20):
        with pytest.raises(BadSettings, match="Enough"):
            await side_by_side(bot, [Front("one", run)])
    return [after - before for before, after in zip(ended, begun[1:], strict=False)]


def trouble() -> None:
    raise Unserved("away") from ConnectionError()


def broken() -> None:
    raise ValueError("nobody thought of this")


@pytest.mark.parametrize("stop", [lambda: None, trouble, broken])
async def test_the_pause_grows_while_a_front_does_not_stay_up(stop: Callable[[], None]) -> None:
    found = await pauses([599.0] * 9, stop)

    assert found == [5, 10, 20, 40, 80, 160, 300, 300]


def unmended() -> None:
    raise Unserved("somebody has to mend this")


async def test_what_somebody_has_to_mend_is_tried_ever_later_up_to_an_hour() -> None:
    assert await pauses([0.0] * 8, unmended) == [300, 600, 1200, 2400, 3600, 3600, 3600]


@pytest.mark.parametrize("stop", [lambda: None, trouble, broken])
async def test_a_front_that_was_well_for_a_while_is_tried_again_soon(
    stop: Callable[[], None],
) -> None:
    found = await pauses([0, 0, 0, 600.0, 0, 0], stop)

    assert found == [5, 10, 20, 5, 10]


async def test_a_front_that_breaks_while_it_ends_is_not_begun_anew() -> None:
    begun = asyncio.Event()

    async def run(_bot: Bot, _told: FrontReadiness) -> None:
        assert not begun.is_set()
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the network went first")

    async with assemble(load(SETTINGS), HastyClock()) as bot, asyncio.timeout(20):
        serving = asyncio.create_task(side_by_side(bot, [Front("one", run)]))
        await begun.wait()
        serving.cancel()
        await asyncio.wait({serving})
    assert serving.cancelled()


# What a front may be at while it is told to end: each would be waited for a minute.
HANGS = {
    "a thread": """
    await asyncio.to_thread(time.sleep, 60)
""",
    "the event loop": """
    try:
        await asyncio.sleep(60)
    finally:
        time.sleep(60)
""",
}
STUBBORN = """
import asyncio, json, logging, time
from clawbot.front import Front
from clawbot.serve import serving
from clawbot.settings import load

logging.basicConfig(level=logging.INFO)

async def front(bot, hears):
    asyncio.get_running_loop().call_later(0.1, lambda: print("serves", flush=True))
    {hang}

settings = load(json.loads({settings!r}))
asyncio.run(serving(settings, [Front("one", front)], lambda _: None, 0.5))
"""


@pytest.mark.parametrize("hang", HANGS)
async def test_a_stop_that_hangs_ends_by_itself(hang: str) -> None:
    source = STUBBORN.format(settings=json.dumps(SETTINGS), hang=HANGS[hang].strip())
    async with running(source, {}) as program, asyncio.timeout(30):
        assert program.process.stdout
        await program.process.stdout.readline()
        code, _, log = await program.ended(signal.SIGTERM)

    assert code == 0, log
    assert "clawbot.cut_off after=0.5" in log
