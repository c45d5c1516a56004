"""A bot that starts finishes the replies that an earlier life of it began, and no other's."""

import asyncio

import pytest

from clawbot.bot import assemble
from clawbot.progress import Stage
from clawbot.replies import Deploying, Reply
from sandbox.terminal.markup import render
from tests.clawbot.bots import Kept, ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk, chat

ENDED = ("completed", "success")


async def resumed(talk: Talk, platform: str = "terminal") -> dict[tuple[str, str], Reply]:
    """What each reply of a predecessor shows, by channel and id, when all are finished."""
    shown: dict[tuple[str, str], Reply] = {}

    def show_in(channel: str, reply_id: str):  # type: ignore[no-untyped-def]  # a Show
        async def show(reply: Reply) -> None:
            shown[channel, reply_id] = reply

        return show

    await asyncio.gather(*await talk.bot.dispatcher.resume(platform, show_in))
    return shown


async def test_a_reply_of_ours_is_finished_where_it_stands(talk: Talk) -> None:
    talk.api.runs = [run(1, *ENDED, request_id="terminal.demo.7.1", reply="42")]

    shown = await resumed(talk)

    reply = shown["7", "42"]
    assert isinstance(reply, Deploying)
    assert reply.progress.stage is Stage.DONE
    assert reply.asker == "terminal:operator"


@pytest.mark.parametrize(
    "other",
    [
        run(1, *ENDED, request_id="terminal.claw-1.7.1", reply="42"),
        run(1, *ENDED, request_id="discord.demo.7.1", reply="42"),
        run(1, *ENDED, request_id="agent.demo.7.1", reply=""),
        run(1, *ENDED, request_id="", reply=""),
    ],
)
async def test_another_bot_s_another_platform_s_and_nobody_s_are_left_alone(
    talk: Talk, other: object
) -> None:
    talk.api.runs = [other]  # type: ignore[list-item]  # pytest hands on objects

    assert await resumed(talk) == {}


async def test_of_two_runs_of_one_request_the_older_has_the_reply(talk: Talk) -> None:
    failed = ("completed", "failure")
    talk.api.runs = [
        run(1, *ENDED, request_id="terminal.demo.7.1", reply="42"),
        run(2, *failed, request_id="terminal.demo.7.1", reply="42"),
        run(3, *failed, request_id="terminal.demo.7.1", reply="43"),
    ]

    shown = await resumed(talk)

    stages = {
        at: reply.progress.stage for at, reply in shown.items() if isinstance(reply, Deploying)
    }
    assert stages == {("7", "42"): Stage.DONE, ("7", "43"): Stage.FAILED}


async def test_what_this_process_asked_for_itself_it_follows_only_once(talk: Talk) -> None:
    await talk.say("/fleet deploy claw-2")

    assert await resumed(talk) == {}


async def test_what_a_front_was_cut_off_from_it_finishes_when_it_starts_again(talk: Talk) -> None:
    talk.api.ends = ""
    cut_off = asyncio.create_task(talk.bot.commands.answer(ask("deploy claw-2"), Kept()))
    await talk.api.until("runs", 1)
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    talk.api.runs = [talk.api.runs[0]._replace(status="completed", conclusion="success")]

    (reply,) = (await resumed(talk)).values()

    assert isinstance(reply, Deploying)
    assert reply.progress.stage is Stage.DONE


async def test_a_bot_killed_after_the_dispatch_is_finished_by_its_successor(talk: Talk) -> None:
    talk.api.ends = ""
    await talk.say("/fleet deploy claw-2 &")
    await talk.api.until("runs", 1)
    await talk.terminal.close()
    assert talk.printed.getvalue() == "> /fleet deploy claw-2 &\n"

    talk.api.runs = [talk.api.runs[0]._replace(status="completed", conclusion="success")]
    async with assemble(talk.bot.settings, talk.clock) as bot:
        successor, printed = chat(bot)
        successor.finish_left(await bot.dispatcher.resume("terminal", successor.reply_of))
        await successor.finish()

    assert "✓ deploy claw-2: done" in printed.getvalue()


async def test_one_killed_before_the_dispatch_leaves_what_stays_true(talk: Talk) -> None:
    said = []

    class Shown:
        async def send(self, reply: Reply) -> str:
            said.append(reply)
            raise asyncio.CancelledError

        async def edit(self, _reply_id: str, reply: Reply) -> None:
            said.append(reply)

    with pytest.raises(asyncio.CancelledError):
        await talk.bot.commands.answer(ask("deploy claw-2"), Shown())

    drawn = render(said[0], talk.clock.now()).plain
    assert "asking" in drawn
    assert "two minutes" in drawn
    assert "look at the runs" in drawn
    assert len(said) == 1
    assert talk.api.count("deploy") == 0
