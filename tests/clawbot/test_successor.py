"""A bot that starts finishes the replies that an earlier life of it began, and no other's."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from clawbot.bot import assemble
from clawbot.living_reply import LivingReply, State
from clawbot.progress import Stage
from clawbot.replies import Deploying, Reply
from clawbot.requests import Deploy
from sandbox.terminal.markup import render
from tests.clawbot.bots import KeptChat, KeptMessage, ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk, chat

ENDED = ("completed", "success")


async def resumed(talk: Talk, platform: str = "terminal") -> dict[tuple[str, str], Reply]:
    """What each reply of a predecessor shows, by channel and id, when all are finished."""
    chats: dict[str, KeptChat] = defaultdict(lambda: KeptChat(talk.clock))

    def reply_in(channel: str, _asked: str, reply_id: str) -> LivingReply:
        return chats[channel].reply(reply_id)

    await asyncio.gather(*await anext(talk.bot.deploys.resume(platform, reply_in)))
    return {(at, id_): what for at, chat in chats.items() for id_, what in chat.messages.items()}


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


async def test_of_two_runs_of_one_request_both_replies_tell_of_the_deploy(talk: Talk) -> None:
    """An ask has two replies where it was heard again after a crash."""
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
    assert stages == {("7", "42"): Stage.DONE, ("7", "43"): Stage.DONE}


@dataclass
class Successor:
    """A bot that starts, and what it shows in each reply that a predecessor left."""

    talk: Talk
    shown: dict[str, list[Stage]] = field(default_factory=dict)
    _following: set[asyncio.Future[Reply]] = field(default_factory=set)

    async def looks(self) -> None:
        async for left in self.talk.bot.deploys.resume("terminal", self._reply_in):
            self._following.update(map(asyncio.ensure_future, left))

    async def looked(self, count: int) -> None:
        """Once it has looked at the ledger so often, and finished what it found."""
        await self.talk.api.until("runs", count)
        await self.talk.clock.asleep(1)
        while following := [one for one in self._following if not one.done()]:
            await asyncio.wait(following)
            await self.talk.clock.asleep(1)

    async def finished(self) -> dict[str, list[Stage]]:
        """What it has shown, by reply, once each reply that it found is final."""
        await asyncio.gather(*self._following)
        return self.shown

    def _reply_in(self, _channel: str, _asked: str, reply_id: str) -> LivingReply:
        shown = self.shown.setdefault(reply_id, [])

        class Noting(KeptMessage):
            async def show(self, reply: Reply, _within: float | None) -> bool:
                assert isinstance(reply, Deploying)
                shown.append(reply.progress.stage)
                return True

        clock = self.talk.clock
        return LivingReply(Noting(KeptChat(clock), reply_id), clock, State.SENT)


@pytest.fixture
async def successor(talk: Talk) -> AsyncIterator[Successor]:
    begun = Successor(talk)
    looking = asyncio.create_task(begun.looks())
    yield begun
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_a_run_that_github_lists_late_is_found_and_once(
    talk: Talk, successor: Successor
) -> None:
    """Asked for just before a predecessor was killed."""
    talk.api.runs = [
        run(1, *ENDED, request_id="terminal.demo.7.1", reply="42"),
        run(2, *ENDED, request_id="terminal.demo.7.2", reply="43"),
    ]
    talk.api.unlisted = {2}
    for look, pause in enumerate((5, 7), 1):
        await successor.looked(look)
        await talk.clock.turn(pause)
    talk.api.unlisted = set()
    await talk.clock.turn(3)
    await successor.looked(3)
    await talk.clock.turn(20)
    await successor.looked(4)

    assert await successor.finished() == {"42": [Stage.DONE], "43": [Stage.DONE]}


async def test_it_looks_for_two_minutes_and_then_no_more(talk: Talk, successor: Successor) -> None:
    begun = talk.clock.now()
    for look, at in enumerate((0, 5, 15, 35, 75, 155), 1):
        await talk.clock.turn(begun + at - talk.clock.now())
        await talk.api.until("runs", look)
        if at < 120:
            await talk.clock.asleep(1)
    await asyncio.sleep(0.05)

    assert talk.clock.sleeping == 0


async def test_a_control_api_that_is_away_is_asked_until_it_has_told(
    talk: Talk, successor: Successor
) -> None:
    down = {"ok": False, "code": "github_unreachable", "error": "GitHub can't be reached."}
    talk.api.next = [(502, down)] * 7
    talk.api.runs = [run(1, *ENDED, request_id="terminal.demo.7.1", reply="42")]
    for look in range(1, 8):
        await successor.looked(look)
        await talk.clock.turn(300)
    await talk.api.until("run", 1)

    assert await successor.finished() == {"42": [Stage.DONE]}
    assert talk.clock.sleeping == 0


async def test_an_ask_that_was_heard_again_leaves_no_reply_behind(
    talk: Talk, successor: Successor
) -> None:
    """A platform delivers it once more after a crash, and it is answered by a second reply."""
    talk.api.runs = [run(1, *ENDED, request_id="terminal.demo.1.1", reply="42")]
    talk.api.unlisted = {1}
    await successor.looked(1)
    await talk.bot.commands.answer(ask(), Deploy("claw-2"), KeptChat(talk.clock).reply())
    talk.api.unlisted = set()
    await talk.clock.turn(5)
    await successor.looked(2)

    assert await successor.finished() == {"42": [Stage.DONE]}


async def test_what_this_process_asked_for_itself_it_follows_only_once(talk: Talk) -> None:
    await talk.say("/fleet deploy claw-2")

    assert await resumed(talk) == {}


async def test_what_a_front_was_cut_off_from_it_finishes_when_it_starts_again(talk: Talk) -> None:
    talk.api.ends = ""
    reply = KeptChat(talk.clock).reply()
    cut_off = asyncio.create_task(talk.bot.commands.answer(ask(), Deploy("claw-2"), reply))
    await talk.api.until("runs", 1)
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    talk.api.runs = [talk.api.runs[0]._replace(status="completed", conclusion="success")]

    (shown,) = (await resumed(talk)).values()

    assert isinstance(shown, Deploying)
    assert shown.progress.stage is Stage.DONE


async def test_a_bot_killed_after_the_dispatch_is_finished_by_its_successor(talk: Talk) -> None:
    talk.api.ends = ""
    await talk.say("/fleet deploy claw-2 &")
    await talk.api.until("runs", 1)
    await talk.terminal.close()
    assert talk.printed.getvalue() == "> /fleet deploy claw-2 &\n"

    talk.api.runs = [talk.api.runs[0]._replace(status="completed", conclusion="success")]
    async with assemble(talk.bot.settings, talk.clock) as bot:
        successor, printed = chat(bot)
        successor.finish_left(await anext(bot.deploys.resume("terminal", successor.reply_of)))
        await successor.finish()

    assert "✓ deploy claw-2: done" in printed.getvalue()


async def test_one_killed_before_the_dispatch_leaves_what_stays_true(talk: Talk) -> None:
    said = []

    class Killed(KeptMessage):
        async def show(self, reply: Reply, _within: float | None) -> bool:
            said.append(reply)
            raise asyncio.CancelledError

    killed = LivingReply(Killed(KeptChat(talk.clock)), talk.clock)
    with pytest.raises(asyncio.CancelledError):
        await talk.bot.commands.answer(ask(), Deploy("claw-2"), killed)

    drawn = render(said[0], talk.clock.now()).plain
    assert "asking" in drawn
    assert "two minutes" in drawn
    assert "look at the runs" in drawn
    assert len(said) == 1
    assert talk.api.count("deploy") == 0
