"""A deploy that was stopped, as its reply and the call to its asker tell it on each platform."""

from fleet_control.deploy_jobs import MOVING_STEP, STOPPED_STEP
from fleet_control.ledger import Job, Step
from tests.clawbot.bots import registry
from tests.clawbot.control_api import CREATED
from tests.clock import TurnedClock
from tests.discord.dialogue import deploying, pings
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.telegram.scene import FLEET, TelegramScene

STEPS = (
    Step(f"{STOPPED_STEP}telegram:7 s_a_m", "completed", "failure"),
    Step(MOVING_STEP, "completed", "skipped"),
)
NAME = "claw-2: ami-0123abcd -> ami-4567abcd @0a1b2c3"
STOPPED = (Job(NAME, "completed", "failure", CREATED, CREATED, STEPS),)
END = "stopped by s_a_m in Telegram before any host"


async def test_in_discord(ec2: FakeEc2) -> None:
    ec2.forget()
    async with DiscordScene(TurnedClock(), ec2) as scene:
        await scene.start()
        _, reply = await deploying(scene)
        scene.api.change(1, status="completed", conclusion="failure", jobs=STOPPED)
        await scene.until(lambda: END.replace("_", "\\_") in reply.text)
        await scene.until(lambda: pings(scene))
        (call,) = pings(scene)

    assert "claw-2** · untouched" in reply.text
    assert call.body["content"].endswith(f"deploy claw-2: {END}".replace("_", "\\_"))


async def test_in_telegram(ec2: FakeEc2) -> None:
    ec2.forget()
    async with TelegramScene(TurnedClock(), ec2) as scene:
        scene.api.registry = registry("claw-1", "claw-2")
        await scene.start()
        asked = await scene.say("/fleet@fleet_bot deploy claw-2", scene.operator)
        reply = await scene.reply_to(asked)
        await scene.until(lambda: "queued" in reply["text"])
        scene.api.change(1, status="completed", conclusion="failure", jobs=STOPPED)
        await scene.until(lambda: f"Deploy claw-2: {END}" in reply["text"])
        shown, call = scene.telegram.history.shown, f"Your deploy of claw-2: {END}."
        await scene.until(lambda: any(call in one["text"] for one in shown(FLEET)))

    assert "No host was touched." in reply["text"]
