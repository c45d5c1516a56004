"""A deploy from the chat: one living message, from the ask to its end."""

import pytest

from clawbot.ledger_view import LIVING
from tests.clawbot.control_api import run
from tests.clock import TurnedClock
from tests.discord.ec2 import NEWEST, OLDER, Claw
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.past_runs import rolled, steps
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene
from tests.timed_control_api import TimedControlApi


async def test_a_deploy_has_one_message_that_follows_it_to_its_end(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    scene.api.running(1)
    await scene.until(lambda: "planning" in reply["text"])
    scene.api.done(1)
    await scene.until(lambda: "done" in reply["text"])
    said = scene.telegram.history.shown
    await scene.until(lambda: len(said(OPERATOR)) == 2)  # an edit calls nobody; this one does
    assert said(OPERATOR)[-1]["text"].startswith("🟢 Your deploy of claw-2: done")


async def test_a_deploy_that_github_took_and_denied_ends_as_it_ended(ec2: FakeEc2) -> None:
    """It lists the first run so late that the deploy is asked for again; the second one stops."""
    clock = TurnedClock()
    scene = TelegramScene(clock, ec2)
    scene.api = api = TimedControlApi(clock=clock, lag=20, denied=1)
    async with scene:
        await scene.start()
        reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
        await scene.until(lambda: "done" in reply["text"])
    assert [run.conclusion for run in api.runs] == ["success", "failure"]
    assert not any("failed" in text for _, _, text in scene.telegram.history.edits)


async def test_what_is_asked_of_the_control_api_says_where_the_answer_is(
    scene: TelegramScene,
) -> None:
    await scene.start()
    asked = await scene.say(f"/fleet@fleet_bot deploy claw-2 {OLDER}", scene.operator)
    reply = await scene.reply_to(asked)
    await scene.asked_for("deploy", 1)
    sent = next(one for one in scene.api.asked if one["action"] == "deploy")
    assert sent["request_id"] == f"telegram.demo.{FLEET}.{asked['message_id']}"
    assert sent["reply"] == str(reply["message_id"])
    assert sent["requested_by"] == f"telegram:{OPERATOR} Olga"
    assert (sent["target"], sent["ami_override"]) == ("claw-2", OLDER)


async def test_a_commit_can_be_named_and_is_what_a_yes_means(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.say("/fleet@fleet_bot deploy all 0a1b2c3", scene.operator)
    reply = await scene.reply_to(asked)
    assert "With the commit 0a1b2c3." in reply["text"]
    await scene.press(reply, "Confirm", scene.operator)
    await scene.asked_for("deploy", 1)
    sent = next(one for one in scene.api.asked if one["action"] == "deploy")
    assert (sent["target"], sent["ami_override"], sent["revision"]) == ("all", "", "0a1b2c3")


async def test_edits_of_one_message_are_three_seconds_apart(scene: TelegramScene) -> None:
    await scene.start(CLAWBOT_RUNNING_EVERY="0.5", CLAWBOT_WAITING_EVERY="0.5")
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    begun = scene.clock.now()
    await scene.until(lambda: "queued" in reply["text"])
    assert scene.clock.now() - begun >= 2.0
    scene.api.running(1)
    queued_at = scene.clock.now()
    await scene.until(lambda: "planning" in reply["text"])
    assert scene.clock.now() - queued_at >= 2.0


async def test_two_deploys_at_once_each_have_their_message(scene: TelegramScene) -> None:
    scene.hosts(Claw("claw-1", OLDER), Claw("claw-2", NEWEST))
    await scene.start()
    one = await scene.reply_to(await scene.say("/fleet deploy claw-1"))
    other = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.asked_for("deploy", 2)
    scene.api.done(1)
    scene.api.change(2, status="completed", conclusion="failure", reason="The host is impaired.")
    await scene.until(lambda: "done" in one["text"] and "The host is impaired." in other["text"])


async def test_words_that_are_no_command_are_answered_with_help(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet <b>dance</b> & sing"))
    assert "I don't know <b>dance</b>." in reply["text"]
    assert {"type": "code"}.items() <= reply["entities"][0].items()


async def test_a_deploy_that_is_looked_at_lives_and_calls_nobody(scene: TelegramScene) -> None:
    scene.api.runs = [run(7, "queued", request_id="", requested_by="discord:9 sam")]
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet run 7"))
    await scene.until(lambda: "Asked for by sam in Discord, 2026-11-24 10:00 UTC" in reply["text"])
    assert LIVING in reply["text"]
    scene.api.change(7, status="completed", conclusion="success")
    await scene.until(lambda: "done" in reply["text"])
    await scene.clock.turn(60)
    assert LIVING not in reply["text"]
    assert (len(scene.telegram.called("sendMessage")), scene.api.count("told")) == (1, 0)


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_is_expected_of_a_roll_costs_no_edit(
    scene: TelegramScene, is_known: bool
) -> None:
    scene.api.runs = [rolled(1, 120, "claw-1", "claw-2", "claw-3")]
    if not is_known:
        scene.api.refused["history"] = 503, {"ok": False, "code": "github_down", "error": "No."}
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    edits = scene.telegram.history.edits
    before = len(edits)
    for jobs, told in steps():
        shown = len(edits)
        scene.api.running(2, *jobs)
        await scene.until(lambda: len(edits) > shown)  # noqa: B023  (awaited here)
        assert told in reply["text"]
        assert ("end expected 20" in reply["text"]) is is_known
        await scene.clock.turn(300)
    scene.api.done(2, *jobs)
    await scene.until(lambda: "done after" in reply["text"])
    assert "expected" not in reply["text"]
    assert len(edits) - before == 9
