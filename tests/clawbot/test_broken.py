"""What is broken is told in words, and no reply is left standing that is no longer true."""

import asyncio
import logging
from typing import Any

import pytest

from clawbot import wording
from clawbot.living_reply import LivingReply
from clawbot.parsing import parse
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Reply, StatusReport, Tone, is_final
from clawbot.requests import Deploy, Status
from tests.clawbot.bots import KeptChat, KeptMessage, ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk
from tests.clock import TurnedClock

PATIENCE_SECONDS = 20.0
UNNAMED = {"ok": True, "message": "queued", "run": {"id": None, "url": "https://github.example"}}
GONE = {"ok": False, "code": "github_unreachable", "error": "GitHub can't be reached: timed out"}


async def deployed(talk: Talk, words: str = "deploy claw-2") -> tuple[Deploying, KeptChat]:
    chat = KeptChat(talk.clock)
    reply = await talk.bot.commands.answer(ask(), parse(tuple(words.split())), chat.reply())
    assert isinstance(reply, Deploying)
    assert chat.messages == {"1": reply}
    return reply, chat


async def test_the_reply_stands_before_the_dispatch_and_its_id_goes_with_it(talk: Talk) -> None:
    _, chat = await deployed(talk)

    first = chat.said[0]
    assert isinstance(first, Deploying)
    assert first.progress.stage is Stage.ASKING
    assert next(one["reply"] for one in talk.api.asked if one["action"] == "deploy") == "1"


@pytest.mark.parametrize(
    ("status", "code", "more", "advice"),
    [
        (502, "github_refused", {}, "Ask again when that is put right."),
        (500, "misconfigured", {}, "Ask again when that is put right."),
        (401, "unauthorized", {}, "Ask again when that is put right."),
        (429, "github_busy", {"retry_after": 40}, "Ask again in 40 seconds."),
    ],
)
async def test_a_deploy_that_could_not_be_asked_for_failed(
    talk: Talk, status: int, code: str, more: dict[str, Any], advice: str
) -> None:
    await talk.bot.fleet.status()
    talk.api.next = [(status, {"ok": False, "code": code, "error": "It says why.", **more})]

    reply, _ = await deployed(talk)

    assert reply.progress.stage is Stage.FAILED
    assert reply.progress.reason == "It says why."
    assert reply.progress.advice == f"Nothing began. {advice}"


@pytest.mark.parametrize("status", [403, 409])
async def test_a_refusal_of_the_control_api_is_a_refusal_like_any_other(
    talk: Talk, status: int
) -> None:
    await talk.bot.fleet.status()
    talk.api.next = [(status, {"ok": False, "code": "busy", "error": "One at a time."})]
    chat = KeptChat(talk.clock)

    reply = await talk.bot.commands.answer(ask(), Deploy("claw-2"), chat.reply())

    assert chat.messages == {"1": Notice(("One at a time.",), Tone.REFUSED, "busy")}
    assert reply == chat.messages["1"]


async def test_an_outcome_that_is_unknown_is_called_unknown(talk: Talk) -> None:
    await talk.bot.fleet.status()
    talk.api.next = [(502, GONE)] * 5
    heard = asyncio.create_task(talk.terminal.hear("/fleet deploy claw-2"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        for pause in (5, 5, 10, 20):
            await talk.clock.asleep(1)
            assert talk.printed.getvalue() == "> /fleet deploy claw-2\n"
            await talk.clock.turn(pause)
        await heard

    assert "can't be confirmed" in talk.printed.getvalue()
    assert talk.terminal.exit_code == 1
    assert talk.api.count("deploy") == 1


@pytest.mark.parametrize(
    "lost", [[(200, UNNAMED)], [(502, GONE), (502, GONE)]], ids=["no run named", "no answer"]
)
async def test_a_deploy_whose_run_is_not_told_is_looked_for_and_followed(
    talk: Talk, lost: list[tuple[int, dict[str, Any]]]
) -> None:
    await talk.bot.fleet.status()
    talk.api.runs = [run(7, "completed", "success", request_id="terminal.demo.1.1")]
    talk.api.next = [*lost]
    chat = KeptChat(talk.clock)
    answered = asyncio.create_task(talk.bot.commands.answer(ask(), Deploy("claw-2"), chat.reply()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in lost:
            await talk.clock.asleep(1)
            await talk.clock.turn(5)
        reply = await answered

    assert isinstance(reply, Deploying)
    assert (reply.progress.stage, reply.progress.run_id) == (Stage.DONE, 7)
    assert chat.messages == {"1": reply}
    assert talk.api.count("deploy") == 1


async def test_an_api_that_answers_nonsense_is_told_in_words(talk: Talk) -> None:
    talk.api.next = [(200, {"nonsense": True})] * 3

    said = await talk.say("/fleet status")

    assert "registry" in said
    assert "Traceback" not in said


async def test_an_ec2_that_is_down_is_told_in_words_and_stops_no_deploy(talk: Talk) -> None:
    talk.ec2.forget()
    denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
    denied += "<Message>No.</Message></Error></Errors></Response>"
    for action in ("DescribeInstances", "DescribeInstanceStatus", "DescribeImages"):
        talk.ec2.scripts[action] = [(403, denied)]

    assert "EC2" in await talk.say("/fleet status")
    assert "EC2" in await talk.say("/fleet deploy all")
    assert "✓ deploy claw-2: done" in await talk.say("/fleet deploy claw-2")
    assert talk.terminal.exit_code == 1


@pytest.mark.parametrize(("hours_away", "told"), [(23, True), (25, False)])
async def test_a_chat_that_breaks_after_the_dispatch_has_the_end_once_it_is_back_within_a_day(
    talk: Talk, caplog: pytest.LogCaptureFixture, hours_away: int, told: bool
) -> None:
    class Breaking(KeptMessage):
        async def show(self, reply: Reply, within: float | None) -> bool:
            news = await super().show(reply, within)
            self.chat.broken = isinstance(reply, Deploying) and not is_final(reply)
            return news

    caplog.set_level(logging.WARNING)
    chat = KeptChat(talk.clock)
    breaking = LivingReply(Breaking(chat), talk.clock)
    answering = asyncio.create_task(talk.bot.commands.answer(ask(), Deploy("claw-2"), breaking))
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(hours_away):
            await _tried_again(answering, talk.clock)
            await talk.clock.turn(3600)
        await _tried_again(answering, talk.clock)
        chat.broken = False
        await talk.clock.turn(600)
        await _tried_again(answering, talk.clock)
        reply = await answering

    assert isinstance(reply, Deploying)
    assert reply.progress.stage is Stage.DONE
    assert (chat.said[-1] == reply) == told
    assert len(chat.called) == told
    assert caplog.text.count("fleet.reply_not_edited") == 1


async def _tried_again(answering: asyncio.Task[Reply], clock: TurnedClock) -> None:
    """Once it has said again that its reply lives, and waits for the next try; or has ended."""
    for count in (1, 2):
        asleep = asyncio.create_task(clock.asleep(count))
        await asyncio.wait((answering, asleep), return_when=asyncio.FIRST_COMPLETED)
        asleep.cancel()
        await clock.turn(60 * (count == 1))


async def test_a_chat_that_never_worked_breaks_nothing_else(talk: Talk) -> None:
    reply = await talk.bot.commands.answer(
        ask(), Status(), KeptChat(talk.clock, broken=True).reply()
    )

    assert isinstance(reply, Notice)
    assert reply.tone is Tone.BROKEN
    assert "my log has it" in reply.lines[0]


async def test_the_same_ask_delivered_twice_is_one_deploy(talk: Talk) -> None:
    await deployed(talk)
    again = await talk.bot.commands.answer(ask(), Deploy("claw-2"), KeptChat(talk.clock).reply())

    assert isinstance(again, Notice)
    assert again.code == "duplicate"
    assert talk.api.count("deploy") == 1


async def test_an_ask_whose_reply_could_not_be_sent_is_not_acted_on_when_it_comes_again(
    talk: Talk,
) -> None:
    """It may have been sent: what is broken is only that nobody told us."""
    await talk.bot.commands.answer(
        ask(), Deploy("claw-2"), KeptChat(talk.clock, broken=True).reply()
    )
    again = await talk.bot.commands.answer(ask(), Deploy("claw-2"), KeptChat(talk.clock).reply())

    assert isinstance(again, Notice)
    assert again.code == "duplicate"
    assert talk.api.count("deploy") == 0


async def test_an_ask_is_remembered_for_as_long_as_it_may_come_again_and_no_longer(
    talk: Talk,
) -> None:
    for asked in ("1", "2", "3"):
        assert talk.bot.once.first(*ask(asked=asked).key)
    await talk.clock.turn(25 * 3600 - 1)
    assert not talk.bot.once.first(*ask(asked="3").key)
    await talk.clock.turn(1)

    assert talk.bot.once.first(*ask(asked="3").key)


async def test_two_people_at_once_have_a_deploy_each(talk: Talk) -> None:
    await talk.say("/fleet deploy claw-1 &", "/fleet deploy claw-2 &")
    await talk.terminal.finish()

    assert talk.api.count("deploy") == 2
    said = talk.printed.getvalue()
    assert "✓ deploy claw-1: done" in said
    assert "✓ deploy claw-2: done" in said


SKEWED = (403, {"message": "Signature expired: 20261127T100000Z is now earlier than …"})


@pytest.mark.parametrize(("off", "told"), [(600, "10 min behind"), (-600, "10 min ahead of")])
async def test_a_clock_that_is_wrong_is_told_in_words(talk: Talk, off: float, told: str) -> None:
    await talk.bot.fleet.status()
    talk.api.off = off
    talk.api.next = [SKEWED]

    said = " ".join((await talk.say("/fleet deploy claw-2")).split())

    assert f"This machine's clock is {told} AWS's clock." in said
    assert "systemctl restart chronyd" in said
    assert "nothing began" in said.lower()


async def test_a_registry_that_is_broken_at_the_branch_hides_no_host_and_deploys_nothing(
    talk: Talk,
) -> None:
    talk.api.registry = talk.api.registry.replace('"instanceType"', '"size"', 1)
    chat = KeptChat(talk.clock)

    status = await talk.bot.commands.answer(ask(), Status(), chat.reply())
    told = await talk.bot.commands.answer(ask(asked="2"), Deploy("claw-2"), chat.reply())

    assert isinstance(status, StatusReport)
    assert [row.id for row in status.status.rows] == ["claw-1", "claw-2", "claw-3"]
    assert wording.counted(status.status).startswith("3 hosts, 3 healthy")
    assert "`claw-1`: unknown field `size`" in status.status.known.trouble
    assert isinstance(told, Notice)
    assert "`claw-1`: unknown field `size`" in "\n".join(told.lines)
    assert talk.api.count("deploy") == 0
