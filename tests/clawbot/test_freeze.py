"""A freeze in a chat: begun, shown, refused by, overridden once, lifted; and what can't be seen."""

import asyncio
import logging

import pytest

from clawbot.living_reply import LivingReply, State
from clawbot.parsing import parse
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport, Tone
from tests.clawbot.bots import VISITOR, KeptChat, KeptMessage, ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk

FROZEN_SINCE = 1_790_000_000
FROZEN = {"by": "telegram:7 kim", "reason": "a move", "since": FROZEN_SINCE}
UNTIL = 1_790_003_600
SENTENCE = "The fleet is frozen by kim in Telegram until 2026-09-21 15:13 UTC: a move."
OLDER = (400, {"ok": False, "code": "bad_request", "error": "`action` must be one of deploy"})


def freeze(talk: Talk, **more: object) -> None:
    talk.api.freeze = {**FROZEN, "until": UNTIL, **more}


async def said(talk: Talk, words: str, **as_: object) -> Reply:
    chat = KeptChat(talk.clock)
    asked = ask(**as_)  # type: ignore[arg-type]  # (what `ask` takes)
    return await talk.bot.commands.answer(asked, parse(tuple(words.split())), chat.reply())


async def notice(talk: Talk, words: str, **as_: object) -> Notice:
    told = await said(talk, words, **as_)
    assert isinstance(told, Notice)
    return told


def sent(talk: Talk, action: str) -> list[dict[str, object]]:
    return [one for one in talk.api.asked if one["action"] == action]


@pytest.mark.parametrize(
    ("words", "seconds", "reason", "told"),
    [
        ("freeze", 4 * 3600, "", "2026-09-21 18:13 UTC: no reason was given."),
        ("freeze for 2h", 2 * 3600, "", "2026-09-21 16:13 UTC: no reason was given."),
        ("freeze 90m a big move", 90 * 60, "a big move", "2026-09-21 15:43 UTC: a big move."),
        ("freeze Why not?", 4 * 3600, "Why not?", "2026-09-21 18:13 UTC: Why not?"),
        ("freeze for 7d", 7 * 86400, "", "2026-09-28 14:13 UTC: no reason was given."),
    ],
)
async def test_an_operator_freezes_for_so_long_and_says_why(
    talk: Talk, words: str, seconds: int, reason: str, told: str
) -> None:
    answer = await notice(talk, words)

    assert answer.lines[0] == f"Frozen by operator in the terminal until {told}"
    assert answer.lines[1:] == (
        "Until then deploys are refused; any operator lifts that by `/fleet unfreeze`.",
    )
    asked = {"seconds": seconds, "reason": reason, "requested_by": "terminal:operator operator"}
    assert sent(talk, "freeze") == [{"action": "freeze", **asked}]


@pytest.mark.parametrize("words", ["freeze for 8d", "freeze for 169h", "freeze 99999d"])
async def test_a_week_is_the_longest(talk: Talk, words: str) -> None:
    answer = await notice(talk, words)

    assert (answer.tone, answer.code) == (Tone.REFUSED, "too_long")
    assert answer.lines[0].startswith("A freeze lasts 7 days at most.")
    assert sent(talk, "freeze") == []


@pytest.mark.parametrize(
    "words", ["0m", "1w", "2 hours", "2h30m", "7", "for 1w", "for ever", "for"]
)
async def test_what_is_no_duration_is_no_reason_to_freeze_for_the_usual_time(
    talk: Talk, words: str
) -> None:
    answer = await notice(talk, f"freeze {words}")

    said = words.removeprefix("for ").split()[0]
    wrong, *help_ = answer.lines
    assert wrong == f"A duration is said as in `90m`, `2h` or `3d`, which `{said}` is not."
    assert len(help_) == 3
    assert all(line.startswith("`/fleet freeze") for line in help_)
    assert sent(talk, "freeze") == []


@pytest.mark.parametrize(
    ("runs", "offers"),
    [
        ([run(7)], True),
        ([run(7, "queued"), run(6, "completed", "success")], False),
        ([run(7, operation="unlock")], False),
    ],
)
async def test_what_runs_is_not_stopped_and_how_it_is_is_said(
    talk: Talk, runs: list[object], offers: bool
) -> None:
    talk.api.runs.extend(runs)  # type: ignore[arg-type]  # (runs)

    answer = await notice(talk, "freeze")

    assert any("`/fleet stop` ends it" in line for line in answer.lines) is offers
    assert answer.runs == (7 if offers else 0)


async def test_whose_freeze_another_takes_the_place_of_is_said(talk: Talk) -> None:
    freeze(talk)

    answer = await notice(talk, "freeze 2h")

    kims = "by kim in Telegram until 2026-09-21 15:13 UTC: a move."
    assert answer.lines[1] == f"It takes the place of the freeze {kims}"


async def test_of_a_long_reason_no_more_is_sent_than_is_kept(talk: Talk) -> None:
    await notice(talk, f"freeze 2h {'😀' * 5000}")

    assert sent(talk, "freeze")[0]["reason"] == f"{'😀' * 99}…"


async def test_any_operator_lifts_it(talk: Talk) -> None:
    freeze(talk)

    lifted, again = await notice(talk, "unfreeze"), await notice(talk, "unfreeze", asked="2")

    words = "by kim in Telegram until 2026-09-21 15:13 UTC: a move."
    assert lifted.lines == (f"Lifted: the freeze {words}",)
    assert again.lines == ("The fleet was not frozen.",)
    assert sent(talk, "unfreeze")[0]["requested_by"] == "terminal:operator operator"


@pytest.mark.parametrize(("said_at", "lifts"), [(-1, False), (0, True), (1, True)])
async def test_who_is_heard_late_or_again_lifts_no_freeze_that_came_later(
    talk: Talk, said_at: int, lifts: bool
) -> None:
    freeze(talk)

    answer = await notice(talk, "unfreeze", said=float(FROZEN_SINCE + said_at))

    assert (talk.api.freeze is None) is lifts
    later = "That began after you said so, and I lifted nothing. Say it again to lift it."
    assert lifts or answer.lines == (f"{SENTENCE} {later}",)


@pytest.mark.parametrize("words", ["freeze", "unfreeze"])
async def test_nobody_else_freezes_or_lifts(talk: Talk, words: str) -> None:
    assert (await notice(talk, words, caller=VISITOR)).code == "not_operator"
    assert sent(talk, words) == []


@pytest.mark.parametrize(
    ("no", "tone", "line"),
    [
        (OLDER, Tone.BROKEN, "The Control API is older than I am: it knows no freeze."),
        (
            (500, {"ok": False, "code": "misconfigured", "error": "No table."}),
            Tone.BROKEN,
            "No table.",
        ),
        (
            (502, {"ok": False, "code": "table_unreachable", "error": "The table is away."}),
            Tone.BROKEN,
            "Whether the fleet is frozen now, `/fleet status` shows.",
        ),
        ((200, {}), Tone.BROKEN, "Whether the fleet is frozen now, `/fleet status` shows."),
    ],
)
async def test_what_was_not_done_is_said_as_far_as_it_is_known(
    talk: Talk, no: tuple[int, dict[str, object]], tone: Tone, line: str
) -> None:
    for words in ("freeze", "unfreeze"):
        talk.api.refused[words] = no
        answer = await notice(talk, words, asked=words)
        assert (answer.tone, answer.lines[-1]) == (tone, line)


async def test_the_status_says_that_it_is_frozen_at_once_and_no_longer_than_it_is(
    talk: Talk,
) -> None:
    before = await said(talk, "status")
    await said(talk, "freeze a move")
    during = await said(talk, "status")
    await said(talk, "unfreeze", asked="2")
    after = await said(talk, "status")

    assert all(isinstance(one, StatusReport) for one in (before, during, after))
    assert [getattr(one, "held", None) for one in (before, during, after)] == [
        "",
        "The fleet is frozen by operator in the terminal until 2026-09-21 18:13 UTC: a move.",
        "",
    ]


async def test_what_another_bot_froze_is_seen_ten_seconds_later_at_most(talk: Talk) -> None:
    await said(talk, "status")
    freeze(talk)
    await talk.clock.turn(9)
    kept = await talk.say("/fleet status")
    await talk.clock.turn(1)

    assert SENTENCE not in kept
    assert SENTENCE in await talk.say("/fleet status")


@pytest.mark.parametrize(
    ("no", "why"),
    [
        (OLDER, "The Control API is older than I am: it knows no freeze."),
        ((502, {"ok": False, "code": "table_unreachable", "error": "It is away."}), "It is away."),
        ((200, {"ok": True, "freeze": 7}), "The Control API's answer has no valid `freeze`."),
    ],
)
async def test_a_freeze_that_cannot_be_seen_is_no_error_and_not_called_none(
    talk: Talk, no: tuple[int, dict[str, object]], why: str
) -> None:
    talk.api.refused["holds"] = no

    status = await said(talk, "status")

    assert isinstance(status, StatusReport)
    assert status.held == f"I can't see whether the fleet is frozen. {why}"
    assert isinstance(await said(talk, "deploy claw-2"), Deploying)


async def question(talk: Talk, words: str = "deploy claw-2") -> tuple[Question, LivingReply]:
    chat = KeptChat(talk.clock)
    asked = await talk.bot.commands.answer(ask(), parse(tuple(words.split())), chat.reply())
    assert isinstance(asked, Question)
    return asked, LivingReply(KeptMessage(chat, "1"), talk.clock, State.SENT)


async def test_an_operator_is_asked_and_a_yes_overrides_it_for_that_deploy_alone(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    freeze(talk)
    asked, reply = await question(talk)

    assert asked.why.startswith(f"{SENTENCE} (`frozen`) A yes overrides that, for this once.")
    assert asked.override == "freeze"
    told = await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)
    assert isinstance(told, Deploying)
    assert [(one["target"], one["override"]) for one in sent(talk, "deploy")] == [
        ("claw-2", "freeze")
    ]
    assert isinstance(await said(talk, "deploy claw-2", asked="2"), Question)


async def test_pressed_twice_by_two_it_is_overridden_once(talk: Talk) -> None:
    freeze(talk)
    asked, reply = await question(talk)
    other = ask(account="terminal:other")

    told = await asyncio.gather(
        talk.bot.confirmation.answer(asked, other, reply, yes=True),
        talk.bot.confirmation.answer(asked, ask(), reply, yes=True),
        talk.bot.confirmation.answer(asked, ask(), reply, yes=True),
    )

    assert [getattr(one, "code", "") for one in told] == ["not_asker", "", "duplicate"]
    assert len(sent(talk, "deploy")) == 1


async def test_what_else_is_worth_asking_is_asked_with_it(talk: Talk) -> None:
    freeze(talk)

    asked, _ = await question(talk, "deploy all")

    assert asked.why.startswith(SENTENCE)
    assert "This replaces every host of the fleet" in asked.why


async def test_a_yes_to_another_question_overrides_no_freeze_that_came_meanwhile(
    talk: Talk,
) -> None:
    asked, reply = await question(talk, "deploy all")
    assert asked.override == ""
    freeze(talk)

    told = await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)

    assert isinstance(told, Notice)
    assert (told.tone, told.code) == (Tone.REFUSED, "frozen")
    assert told.lines == (f"{SENTENCE} A person who is an operator may override that.",)
    assert sent(talk, "deploy") == []


async def test_a_yes_overrides_no_other_freeze_than_its_question_named(talk: Talk) -> None:
    freeze(talk)
    asked, reply = await question(talk)
    await talk.clock.turn(2)
    freeze(talk, by="discord:8 sam", since=FROZEN_SINCE + 1)

    told = await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)

    assert isinstance(told, Notice)
    assert told.code == "frozen"
    assert "frozen by sam" in told.lines[0]
    assert sent(talk, "deploy") == []


async def test_by_aws_s_clock_a_freeze_of_before_the_question_is_the_one_it_named(
    talk: Talk,
) -> None:
    talk.api.off = 30.0
    freeze(talk, since=FROZEN_SINCE + 30)
    asked, reply = await question(talk)

    told = await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)

    assert isinstance(told, Deploying)


async def test_a_yes_overrides_nothing_once_the_freeze_is_over(talk: Talk) -> None:
    freeze(talk)
    asked, reply = await question(talk)
    talk.api.freeze = None

    told = await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)

    assert isinstance(told, Deploying)
    assert told.progress.override == ""
    assert [one.get("override", "") for one in sent(talk, "deploy")] == [""]


async def test_a_yes_still_overrides_a_freeze_that_can_no_longer_be_seen(talk: Talk) -> None:
    freeze(talk)
    asked, reply = await question(talk)
    talk.api.refused["holds"] = (502, {"ok": False, "code": "table_unreachable", "error": "Away."})

    await talk.bot.confirmation.answer(asked, ask(), reply, yes=True)

    assert sent(talk, "deploy")[0]["override"] == "freeze"


async def test_the_terminal_asks_and_shows_what_was_overridden(talk: Talk) -> None:
    freeze(talk)
    talk.api.adds = {"note": "This overrides the freeze by kim in Telegram."}

    asked = await talk.say("/fleet deploy claw-2")
    done = await talk.say("yes")

    assert SENTENCE in " ".join(asked.split())
    assert "deploy claw-2, overriding the freeze: done" in done
    assert "note: This overrides the freeze by kim" in done


async def test_a_bot_instance_is_refused_in_a_chat(talk: Talk) -> None:
    freeze(talk)

    told = await talk.say("claw-1: /fleet deploy claw-2")

    assert "refused (frozen): The fleet is frozen by kim" in told
    assert sent(talk, "deploy") == []
