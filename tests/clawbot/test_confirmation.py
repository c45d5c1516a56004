"""What takes the asker's own bot away is asked first: by name, of the asker, for two minutes."""

import re
from dataclasses import replace

import pytest

from clawbot import wording
from clawbot.ask import Ask
from clawbot.living_reply import LivingReply, State
from clawbot.parsing import parse
from clawbot.replies import Deploying, Notice, Question, Reply, Tone
from clawbot.requests import Deploy
from fleet_control.caller import Human
from fleet_control.host import Image
from fleet_control.ledger import Revision
from tests.clawbot.bots import OPERATOR, KeptChat, KeptMessage, ask, registry
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.discord.ec2 import NOW, Claw
from tests.fleet_control.aws import FakeEc2

OTHER = Human("terminal:other", "other", operator=True)


async def asked(talk: Talk, words: str = "deploy all") -> tuple[Question, KeptChat]:
    chat = KeptChat(talk.clock)
    question = await talk.bot.commands.answer(ask(), parse(tuple(words.split())), chat.reply())
    assert isinstance(question, Question)
    return question, chat


async def test_the_question_names_what_is_replaced_created_and_removed(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2"), Claw("claw-old"), Claw("Not an id"))

    question, _ = await asked(talk)

    assert (question.replaced, question.created, question.removed) == (
        ("claw-1", "claw-2"),
        ("claw-3",),
        ("claw-old",),
    )
    said = await talk.say("/fleet deploy all")
    assert "  Replaces  claw-1, claw-2\n" in said
    assert "  Creates   claw-3\n" in said
    assert "  Removes if made by a deploy  claw-old\n" in said


async def test_the_host_that_carries_the_bot_is_asked_about_and_no_other(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_INSTANCE="claw-1", CLAWBOT_NAME="") as talk:
        assert "✓ deploy claw-2: done" in await talk.say("/fleet deploy claw-2")
        said = await talk.say("/fleet deploy claw-1")
        assert "This replaces the host I run on (claw-1)" in said
        assert "  Replaces  claw-1\n" in said
        assert "✓ deploy claw-1: done" in await talk.say("yes")

    assert [one["target"] for one in talk.api.asked if one["action"] == "deploy"] == [
        "claw-2",
        "claw-1",
    ]


async def test_the_question_names_the_hosts_in_the_order_of_the_roll(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_INSTANCE="claw-1", CLAWBOT_NAME="") as talk:
        talk.fleet(Claw("claw-1"), Claw("claw-3"))
        of_all, _ = await asked(talk)
        of_one, _ = await asked(talk, "deploy claw-1")

    assert "the one I run on (claw-1) last" in of_all.why
    assert (of_all.replaced, of_all.created) == (("claw-3", "claw-1"), ("claw-2",))
    assert (of_one.replaced, of_one.created) == (("claw-1",), ("claw-2",))


async def test_the_question_names_the_image_that_was_asked_for(talk: Talk) -> None:
    image = (await talk.bot.fleet.status()).images[-1].id
    without, _ = await asked(talk)
    question, _ = await asked(talk, f"deploy all {image}")

    assert question.why == f"{without.why} With the image {image}."


REVISIONS = (
    Revision("c" * 40, "Hosts greet.", "2026-09-01T00:00:00Z"),
    Revision("b" * 40, "Before.", "2026-08-01T00:00:00Z"),
)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("", r"As of now: revision ccccccc, \d+ days old: Hosts greet\.$"),
        ("bbbbbbb", r"With the commit bbbbbbb\. As of now: revision bbbbbbb, .* old: Before\.$"),
        ("ddddddd", r"With the commit ddddddd\.$"),
        ("ami-1", r"With the image ami-1\. As of now: revision bbbbbbb, .* old: Before\.$"),
        ("ami-2", r"With the image ami-2\. As of now: revision ddddddd$"),
    ],
)
async def test_the_question_names_the_revision_as_of_now(talk: Talk, named: str, told: str) -> None:
    talk.api.revisions = [one._asdict() for one in REVISIONS]
    status = await talk.bot.fleet.status()
    known = {"ami-1": "b" * 40, "ami-2": "d" * 40}
    images = tuple(Image(id_, "", NOW, commit) for id_, commit in known.items())
    said = wording.as_of_now(named, replace(status, images=images), NOW)

    assert re.fullmatch(told, f"{wording.named(named)} {said}".strip())
    if not named.startswith("ami-"):
        question, _ = await asked(talk, f"deploy all {named}".rstrip())
        assert re.search(told, question.why)


async def test_the_question_says_how_old_the_registry_is_that_it_speaks_of(talk: Talk) -> None:
    fresh, _ = await asked(talk)
    await talk.clock.turn(3600)
    talk.api.next = [(502, {"ok": False, "code": "github_refused", "error": "GitHub says 403"})]

    question, _ = await asked(talk)

    age = "What I know of the registry is 1 hour old. GitHub says 403."
    assert question.why == f"{fresh.why} {age}"
    assert "registry" not in fresh.why


async def test_yes_turns_the_question_into_the_deploy_that_was_asked_for(talk: Talk) -> None:
    question, chat = await asked(talk)

    ended = await talk.bot.confirmation.answer(question, ask(asked="99"), chat.reply("1"), yes=True)

    assert isinstance(ended, Deploying)
    assert chat.messages == {"1": ended}
    assert talk.api.runs[0].request_id == "terminal.demo.1.1"


async def test_nobody_else_may_answer(talk: Talk) -> None:
    question, chat = await asked(talk)
    for yes in (True, False):
        reply = await talk.bot.confirmation.answer(question, ask(OTHER), chat.reply("1"), yes=yes)
        assert isinstance(reply, Notice)
        assert reply.code == "not_asker"

    assert chat.messages["1"] == question
    assert talk.api.count("deploy") == 0


async def test_after_two_minutes_a_yes_does_not_count(talk: Talk) -> None:
    question, chat = await asked(talk)
    await talk.clock.turn(121)

    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert chat.messages["1"] == Notice(("That question is over. Ask again.",))
    assert talk.api.count("deploy") == 0


async def test_a_yes_in_time_counts(talk: Talk) -> None:
    question, chat = await asked(talk)
    await talk.clock.turn(119)

    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert talk.api.count("deploy") == 1


async def test_no_leaves_everything_as_it_is(talk: Talk) -> None:
    said = await talk.say("/fleet deploy all", "no", "yes")

    assert "Nothing was deployed: all was left as it is." in said
    assert "operator was asked nothing." in said
    assert talk.api.count("deploy") == 0


async def test_everything_is_judged_again_at_the_yes(talk: Talk) -> None:
    question, chat = await asked(talk)
    no_operator_any_more = replace(ask(), caller=OPERATOR._replace(operator=False))

    reply = await talk.bot.confirmation.answer(
        question, no_operator_any_more, chat.reply("1"), yes=True
    )

    assert isinstance(reply, Notice)
    assert reply.code == "not_operator"
    assert chat.messages["1"] == reply
    assert talk.api.count("deploy") == 0


async def test_an_instance_that_left_the_registry_meanwhile_is_not_deployed(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_INSTANCE="claw-1", CLAWBOT_NAME="") as talk:
        question, chat = await asked(talk, "deploy claw-1")
        talk.api.registry = registry("claw-2", "claw-3")
        await talk.clock.turn(61)

        reply = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert isinstance(reply, Notice)
    assert reply.code == "unknown_target"


@pytest.mark.parametrize("presses", [2, 3])
async def test_a_yes_pressed_twice_is_one_deploy(talk: Talk, presses: int) -> None:
    question, chat = await asked(talk)
    replies = [
        await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)
        for _ in range(presses)
    ]

    assert [isinstance(reply, Deploying) for reply in replies] == [True, *[False] * (presses - 1)]
    assert isinstance(chat.messages["1"], Deploying)
    assert talk.api.count("deploy") == 1


async def test_a_no_after_a_yes_and_a_yes_after_a_no_are_told_which_one_counted(talk: Talk) -> None:
    do = talk.bot.commands
    for first, told in (
        (True, "answered already, with a yes"),
        (False, "answered already, with a no"),
    ):
        chat = KeptChat(talk.clock)
        question = await do.answer(ask(asked=told), Deploy("all"), chat.reply())
        assert isinstance(question, Question)
        counted = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=first)

        late = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=not first)

        assert isinstance(late, Notice)
        assert told in late.lines[0]
        assert late.code == "duplicate"
        assert chat.messages["1"] == counted
    assert talk.api.count("deploy") == 1


async def test_a_yes_whose_judging_broke_does_not_keep_the_next_one_from_counting(
    talk: Talk,
) -> None:
    question, chat = await asked(talk)
    chat.broken = True  # so that neither the deploy nor what is broken takes the question's place
    reply = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)
    assert isinstance(reply, Notice)
    assert reply.tone is Tone.BROKEN
    assert talk.api.count("deploy") == 0
    chat.broken = False

    ended = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert isinstance(ended, Deploying)
    assert talk.api.count("deploy") == 1


async def test_a_deploy_that_may_stand_half_begun_is_replaced_by_what_is_broken(
    talk: Talk,
) -> None:
    question, chat = await asked(talk)

    class UnconfirmedMessage(KeptMessage):
        async def show(self, reply: Reply, within: float | None) -> bool:
            await super().show(reply, within)
            if isinstance(reply, Deploying):
                raise ConnectionError("taken, and the answer lost")
            return True

    lost = LivingReply(UnconfirmedMessage(chat, "1"), talk.clock, State.SENT)
    reply = await talk.bot.confirmation.answer(question, ask(), lost, yes=True)

    assert isinstance(reply, Notice)
    assert chat.messages["1"] == reply
    assert reply.tone is Tone.BROKEN
    assert talk.api.count("deploy") == 0


async def test_a_stranger_whose_answer_can_t_be_told_changes_nothing(talk: Talk) -> None:
    question, chat = await asked(talk)

    class Deaf(KeptMessage):
        async def whisper(self, notice: Notice) -> None:
            raise ConnectionError(f"not told: {notice.code}")

    deaf = LivingReply(Deaf(chat, "1"), talk.clock, State.SENT)
    reply = await talk.bot.confirmation.answer(question, ask(OTHER), deaf, yes=True)

    assert isinstance(reply, Notice)
    assert reply.tone is Tone.BROKEN
    assert chat.messages["1"] == question
    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)
    assert talk.api.count("deploy") == 1


async def test_whoever_says_yes_hears_that_it_was_heard_before_it_is_judged(talk: Talk) -> None:
    question, chat = await asked(talk)
    talk.api.next = [(502, {"ok": False, "code": "github_refused", "error": "No."})]
    await talk.clock.turn(61)
    await talk.bot.confirmation.answer(question, ask(OTHER), chat.reply("1"), yes=True)
    assert chat.heard == 0

    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert chat.heard == 1


async def test_each_speaker_answers_their_own_newest_question(talk: Talk) -> None:
    await talk.say("/fleet deploy all")

    assert "claw-1 was asked nothing." in await talk.say("claw-1: yes")
    assert "✓ deploy all: done" in await talk.say("yes")


@pytest.mark.parametrize("word", ["yes", "Yes", "YES", "yes.", "Yes!"])
async def test_a_yes_may_be_written_as_a_phone_writes_it(talk: Talk, word: str) -> None:
    await talk.say("/fleet deploy all")

    assert "deploy all: done" in await talk.say(word)


async def test_a_yes_said_twice_does_not_reach_an_older_question(talk: Talk) -> None:
    await talk.say("/fleet deploy all")
    await talk.say("/fleet deploy all")
    await talk.say("yes")

    assert "operator was asked nothing" in await talk.say("yes")
    assert talk.api.count("deploy") == 1


def pressed(target: str) -> Ask:
    """A button of that target, which asks before anything else."""
    return replace(ask(asked=target), pressed=True)


async def test_what_a_button_asks_for_is_asked_about_and_names_what_it_moves(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-old"))

    question = await talk.bot.commands.answer(
        pressed("claw-1"), Deploy("claw-1"), KeptChat(talk.clock).reply("1")
    )

    assert isinstance(question, Question)
    assert question.why == "Shall I?"
    # A missing host is made in whichever roll comes next; what has left goes with `all` alone.
    assert (question.replaced, question.removed) == (("claw-1",), ())


@pytest.mark.parametrize("target", ["claw-1", "all"])
async def test_of_one_host_it_is_asked_while_ec2_can_t_be_seen_and_of_all_it_is_not(
    talk: Talk, target: str
) -> None:
    talk.ec2.forget()
    denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
    denied += "<Message>No.</Message></Error></Errors></Response>"
    for action in ("DescribeInstances", "DescribeInstanceStatus", "DescribeImages"):
        talk.ec2.scripts[action] = [(403, denied)] * 4
    chat = KeptChat(talk.clock)

    told = await talk.bot.commands.answer(pressed(target), Deploy(target), chat.reply("1"))

    if isinstance(told, Question):
        assert "EC2 refused" in told.why
        assert (told.replaced, told.created, told.removed) == ((), (), ())
    else:
        assert chat.whispered == [told]
    assert isinstance(told, Question) == (target == "claw-1")


@pytest.mark.parametrize(("yes", "said"), [(True, "yes"), (False, "no")])
async def test_an_answer_leaves_its_line_in_the_audit_trail(
    talk: Talk, caplog: pytest.LogCaptureFixture, yes: bool, said: str
) -> None:
    question, chat = await asked(talk)
    caplog.set_level("INFO", "clawbot.ask")

    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=yes)

    assert f"what={said} to deploy all" in caplog.text


async def test_a_yes_that_an_earlier_process_took_begins_nothing(talk: Talk) -> None:
    question, chat = await asked(talk)
    talk.api.runs = [run(1, request_id="terminal.demo.1.1", target="all")]
    again = replace(ask(asked="99"), said=talk.clock.now())

    await talk.bot.confirmation.answer(question, again, chat.reply("1"), yes=True)

    assert talk.api.count("deploy") == 0
    assert (chat.messages["1"], chat.whispered) == (question, [])


async def test_a_yes_at_the_last_moment_counts(talk: Talk) -> None:
    question, chat = await asked(talk)
    await talk.clock.turn(120)

    await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=True)

    assert talk.api.count("deploy") == 1
