"""The policy table of the design, row for row, as somebody in a chat meets it."""

from datetime import UTC, datetime

import pytest

from clawbot.parsing import parse
from clawbot.replies import Notice, Tone
from fleet_control.caller import Unknown
from fleet_control.ledger import Run
from fleet_control.policy import RefusalCode
from tests.clawbot.bots import KeptChat, ask
from tests.clawbot.control_api import job, run
from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.discord.ec2 import NOW, OLDER, Claw
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import doubt

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "words", ["deploy claw-2", "deploy", "status", "status 2", "help", "", "?"]
)
async def test_a_platform_s_strangers_are_refused_whatever_they_ask(talk: Talk, words: str) -> None:
    chat = KeptChat(talk.clock)

    reply = await talk.bot.commands.answer(
        ask(Unknown("webhooks")), parse(tuple(words.split())), chat.reply()
    )

    assert reply == Notice(("I don't take orders from webhooks.",), Tone.REFUSED, "unknown_caller")
    assert chat.said == [reply]
    assert (talk.api.asked, talk.ec2.asked) == ([], [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stranger: /fleet deploy all", "refused (not_operator): Only operators may deploy."),
        ("/fleet deploy", "Targets: all, claw-1, claw-2, claw-3."),
        ("/fleet deploy claw-9", "refused (unknown_target): There is no instance claw-9"),
        ("/fleet deploy Claw-2", "Did you mean claw-2?"),
        ("/fleet deploy ALL", "Did you mean all?"),
        ("claw-1: /fleet deploy claw-1", "refused (self_deploy): claw-1 may not deploy itself."),
        ("claw-1: /fleet deploy all", "refused (self_deploy): claw-1 may not deploy all"),
        ("/fleet deploy claw-1 ami-00000000", "refused (unknown_image): ami-00000000 is not"),
        ("claw-1: /fleet deploy claw-2 ami-00000000", "refused (unknown_image)"),
        (
            "/fleet deploy claw-1 main",
            "refused (unknown_image): main is neither an image (ami-…) nor",
        ),
        ("/fleet deploy claw-1 012345", "nor a commit (its first seven digits or"),
    ],
)
async def test_what_is_refused_reaches_no_dispatch(talk: Talk, line: str, said: str) -> None:
    assert said in await talk.say(line)
    assert talk.api.count("deploy") == 0


@pytest.mark.parametrize(
    ("speaker", "words"),
    [
        ("", "deploy claw-2"),
        ("", f"deploy claw-2 {OLDER}"),
        ("operator: ", f"deploy claw-2 {OLDER}"),
        ("", f"deploy claw-2 {COMMIT}"),
        ("claw-1: ", "deploy claw-2"),
    ],
)
async def test_who_may_deploy_a_healthy_host_does(talk: Talk, speaker: str, words: str) -> None:
    assert "✓ deploy claw-2: done" in await talk.say(f"{speaker}/fleet {words}")

    entry = next(one for one in talk.api.asked if one["action"] == "deploy")
    assert entry["target"] == "claw-2"
    assert entry["ami_override"] == (OLDER if OLDER in words else "")
    assert entry["revision"] == (COMMIT[:12] if COMMIT in words else "")
    by_bot = speaker == "claw-1: "
    assert entry["caller"] == ("claw-1" if by_bot else None)
    assert entry["requested_by"] == ("" if by_bot else "terminal:operator operator")


async def test_a_deploy_of_all_asks_first(talk: Talk) -> None:
    assert "Go ahead?" in await talk.say("/fleet deploy all")
    assert talk.api.count("deploy") == 0

    assert "✓ deploy all: done" in await talk.say("yes")


async def test_a_bot_instance_does_one_thing_at_a_time(talk: Talk) -> None:
    talk.api.runs = [run(1, caller="claw-1", target="claw-3")]

    said = await talk.say("claw-1: /fleet deploy claw-2")

    assert "refused (busy): claw-1 has a deploy that is not finished" in said
    assert talk.api.count("deploy") == 0


@pytest.mark.parametrize("ill", [Claw("claw-2", check="impaired"), Claw("x")])
async def test_a_bot_instance_may_repair(talk: Talk, ill: Claw) -> None:
    """Not healthy, or not there at all."""
    talk.fleet(Claw("claw-1"), ill, Claw("claw-3"))

    assert "✓ deploy claw-2: done" in await talk.say("claw-1: /fleet deploy claw-2")


async def test_a_bot_instance_may_repair_what_never_gets_ready(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", check="initializing"), Claw("claw-3"))

    said = await talk.say("/fleet status")

    assert "3 instances, 2 healthy, 1 not healthy" in said
    assert "EC2's status checks are not done 1 day after its launch" in said
    assert "✓ deploy claw-2: done" in await talk.say("claw-3: /fleet deploy claw-2")


async def test_a_bot_instance_leaves_what_a_bot_deployed_within_the_hour(talk: Talk) -> None:
    talk.api.runs = [
        run(1, "completed", "success", caller="claw-3", updated=moment(NOW - 600)),
        run(2, "completed", "success", updated=moment(NOW - 300)),
    ]

    said = await talk.say("claw-1: /fleet deploy claw-2")

    assert "refused (too_soon): claw-2 is healthy and claw-3 deployed it 10 min ago." in said
    assert talk.api.count("deploy") == 0


async def test_a_bot_instance_does_not_repair_at_once_what_a_bot_just_deployed(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", check="impaired"), Claw("claw-3"))
    talk.api.runs = [bots_failure(1, NOW - 1)]

    said = await talk.say("claw-1: /fleet deploy claw-2")

    assert "refused (too_soon): claw-2 is unhealthy and claw-3 deployed it less than a" in said
    assert talk.api.count("deploy") == 0


async def test_a_bot_instance_leaves_to_a_person_what_bots_failed_at_twice(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-3"))
    talk.api.runs = [bots_failure(1, NOW - 8000), bots_failure(2, NOW - 4000)]

    said = await talk.say("claw-1: /fleet deploy claw-2")
    assert "refused (too_soon): The last deploys of claw-2 by bot instances failed." in said
    assert talk.api.count("deploy") == 0

    assert "✓ deploy claw-2: done" in await talk.say("/fleet deploy claw-2")
    assert "✓ deploy claw-2: done" in await talk.say("claw-1: /fleet deploy claw-2")


def bots_failure(id_: int, ended: float) -> Run:
    jobs = (job("plan"), job("claw-2: none -> ami-1", "failure"))
    told = {"caller": "claw-3", "updated": moment(ended), "jobs": jobs}
    return run(id_, "completed", "failure", **told)


@pytest.mark.parametrize(
    ("version", "check", "code"),
    [
        (OLDER, "ok", RefusalCode.REPAIR_ONLY),
        ("0123456", "ok", RefusalCode.REPAIR_ONLY),
        ("", "impaired", RefusalCode.FLEET_UNWELL),
    ],
)
async def test_what_only_the_run_can_see_is_left_to_it_and_said(
    talk: Talk, version: str, check: str, code: RefusalCode
) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2"), Claw("claw-3", check=check))

    said = await talk.say(f"claw-1: /fleet deploy claw-2 {version}")

    assert f"note: {doubt('claw-2', code)}".replace("`", "") in " ".join(said.split())
    assert talk.api.count("deploy") == 1


async def test_an_image_named_for_a_host_that_starts_is_refused_at_once(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", check="initializing", days=0.001), Claw("claw-3"))

    said = await talk.say(f"claw-1: /fleet deploy claw-2 {OLDER}")

    assert "refused (repair_only): claw-2 is starting: a bot" in said
    assert talk.api.count("deploy") == 0


async def test_status_shows_what_a_host_last_said_of_itself(talk: Talk) -> None:
    told = "clawbot.service is activating (auto-restart)"
    talk.fleet(
        Claw("claw-1", answer=f"ill 2026-09-21T14:03:00Z {told}"),
        Claw("claw-2", answer="well 2026-09-21T11:13:00Z"),
        Claw("claw-3", answer="well 2026-09-21T14:44:00Z"),
    )

    said = await talk.say("/fleet status")

    assert f"its own answer: ill, 10 min ago (2026-09-21 14:03 UTC): {told}\n" in said
    assert "its own answer: well, 3 h ago (2026-09-21 11:13 UTC)\n" in said
    assert said.count("its own answer") == 2  # the third is of a moment that is still to come


async def test_with_no_operators_configured_the_setting_is_named(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_OPERATORS="") as talk:
        said = await talk.say("/fleet deploy claw-1")

    assert "refused (not_operator): Nobody can deploy yet" in said
    assert "CLAWBOT_OPERATORS" in said


async def test_an_instance_is_refused_itself_without_asking_anybody_twice(talk: Talk) -> None:
    await talk.say("/fleet status")
    await talk.api.until("history", 1)  # which is asked for beside
    before = list(talk.api.asked)

    await talk.say("claw-1: /fleet deploy claw-1", "claw-1: /fleet deploy all")

    assert talk.api.asked == before
