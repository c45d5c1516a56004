"""Who is called at a deploy's end: once each, and by a successor where a predecessor did not."""

import asyncio
from datetime import UTC, datetime

import pytest

from clawbot.living_reply import LivingReply, State
from clawbot.replies import Deploying, Reply
from clawbot.requests import Deploy
from tests.clawbot.bots import KeptChat, KeptMessage, ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk

ENDED = ("completed", "success")
ASKED = "terminal.demo.7.1"
OLD_API = (400, {"ok": False, "code": "bad_request", "error": "`action` must be one of …"})
AWAY = (502, {"ok": False, "code": "table_unreachable", "error": "The control table is away."})


class Standing(KeptMessage):
    """One that shows the end already."""

    async def show(self, reply: Reply, within: float | None) -> bool:
        await super().show(reply, within)
        return False


async def called(talk: Talk, *, news: bool = True) -> int:
    """How often a bot that starts calls for what it finds."""
    chat = KeptChat(talk.clock)

    def reply_in(_channel: str, _asked: str, reply_id: str) -> LivingReply:
        message = (KeptMessage if news else Standing)(chat, reply_id)
        return LivingReply(message, talk.clock, State.SENT)

    await asyncio.gather(*await anext(talk.bot.deploys.resume("terminal", reply_in)))
    return len(chat.called)


def ended(talk: Talk, ago: float, reply: str = "42", number: int = 1) -> None:
    """Such a deploy is in the ledger; `ago` seconds before the bot began."""
    at = datetime.fromtimestamp(talk.clock.now() - ago, UTC).isoformat()
    begun = datetime.fromtimestamp(talk.clock.now() - ago - 60, UTC).isoformat()
    talk.api.runs.append(
        run(
            number,
            *ENDED,
            request_id=ASKED,
            reply=reply,
            created=begun,
            started=begun,
            updated=at,
        )
    )


@pytest.mark.parametrize(
    ("told", "news", "ago", "calls"),
    [
        ("", False, 20_000, 1),  # killed between the last edit and the call
        ("", True, 20_000, 1),
        ("done", True, 10, 0),  # only the words differ
        ("failed", False, 10, 1),  # somebody had it tried again
        (None, True, 890, 1),  # dispatched by a Control API of before there were notes
        (None, True, 910, 0),
        (None, False, 10, 0),
    ],
)
async def test_a_successor_calls_whom_nobody_told(
    talk: Talk, told: str | None, news: bool, ago: float, calls: int
) -> None:
    ended(talk, ago)
    talk.api.told = {} if told is None else {ASKED: told}

    assert await called(talk, news=news) == calls
    assert talk.api.told.get(ASKED) == ("done" if calls or told == "done" else None)
    assert await called(talk, news=news) == 0


@pytest.mark.parametrize("answer", [OLD_API, AWAY])
@pytest.mark.parametrize(("news", "calls"), [(True, 1), (False, 0)])
async def test_where_the_table_can_not_tell_the_chat_does(
    talk: Talk, answer: tuple[int, dict[str, object]], news: bool, calls: int
) -> None:
    ended(talk, 10)
    talk.api.told = {ASKED: "" if calls else "done"}
    begun = asyncio.create_task(called(talk, news=news))
    await talk.api.until("run", 1)
    talk.api.next.append(answer)

    assert await begun == calls


async def test_an_ask_with_two_replies_is_called_for_once(talk: Talk) -> None:
    ended(talk, 10)
    ended(talk, 10, reply="43", number=2)
    talk.api.told = {ASKED: ""}

    assert await called(talk) == 1


async def test_the_asker_is_told_whatever_stands_and_that_is_noted(talk: Talk) -> None:
    """An edit may have been taken and its answer lost: said again, it is no news."""
    chat = KeptChat(talk.clock)
    reply = LivingReply(Standing(chat), talk.clock)
    await talk.bot.commands.answer(ask(), Deploy("claw-2"), reply)

    assert len(chat.called) == 1
    assert talk.api.told == {talk.api.runs[0].request_id: "done"}


@pytest.mark.parametrize(("told", "calls"), [("done", 0), ("failed", 1), (None, 1), ("away", 1)])
async def test_whom_another_life_has_called_meanwhile_is_not_called(
    talk: Talk, told: str | None, calls: int
) -> None:
    """While a host is replaced, the bot on it and the one that comes follow the same deploys."""
    chat = KeptChat(talk.clock)

    class Meanwhile(KeptMessage):
        async def show(self, reply: Reply, within: float | None) -> bool:
            if isinstance(reply, Deploying) and reply.progress.over:
                talk.api.told = {talk.api.runs[0].request_id: told} if told else {}
                talk.api.next = [AWAY] if told == "away" else []
            return await super().show(reply, within)

    reply = LivingReply(Meanwhile(chat), talk.clock)
    await talk.bot.commands.answer(ask(), Deploy("claw-2"), reply)

    assert len(chat.called) == calls


async def test_a_note_that_is_not_taken_is_made_again_every_half_minute_until_it_is(
    talk: Talk,
) -> None:
    """Until then whoever announces the deploy would call as well."""
    too_often = (
        503,
        {"ok": False, "code": "asked_too_often", "error": "demo has asked 300 times."},
    )
    ended(talk, 10)
    talk.api.told = {ASKED: ""}
    begun = asyncio.create_task(called(talk))
    await talk.api.until("told", 1)
    talk.api.refused["told"] = AWAY
    for tried in range(45):
        if tried == 30:
            talk.api.refused["told"] = too_often
        await talk.api.until("told", 2 + tried)
        await talk.clock.asleep(2)
        if tried == 44:
            del talk.api.refused["told"]
        await talk.clock.turn((1, 2, 4, 8, 16, 30)[min(tried, 5)])

    assert await begun == 1
    assert talk.api.told == {ASKED: "done"}


async def test_an_older_control_api_is_told_nothing_twice(talk: Talk) -> None:
    ended(talk, 10)
    talk.api.told = {ASKED: ""}
    begun = asyncio.create_task(called(talk))
    await talk.api.until("told", 1)
    talk.api.next = [OLD_API]

    assert await begun == 1
    assert talk.api.count("told") == 2
