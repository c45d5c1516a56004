"""A deploy from the command to the end, as the channel sees it."""

from tests.clawbot.bots import registry
from tests.clawbot.control_api import job
from tests.clock import TurnedClock
from tests.discord.dialogue import MOVES, deploying, pings
from tests.discord.ec2 import NEWEST, OLDER, Claw
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.timed_control_api import TimedControlApi


async def test_one_reply_lives_from_asking_to_done(scene: DiscordScene) -> None:
    await scene.start()
    asked, reply = await deploying(scene)
    assert "asking" in reply.bodies[1]["embeds"][0]["description"]
    assert list(reply.buttons) == ["Cancel"]
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: f"🔵 **claw-2** · replacing\n-# {OLDER} → {NEWEST}" in reply.text)
    assert reply.buttons == {}
    assert pings(scene) == []
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done after 3 min 5 s" in reply.text
    assert reply.body["embeds"][0]["url"] == "https://github.example/runs/1"
    assert asked.answers == 1


async def test_asking_and_queued_need_no_time_to_pass(scene: DiscordScene) -> None:
    await scene.start()
    before = scene.clock.now()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.discord.until(lambda: asked.message and "queued" in asked.message.text)
    assert scene.clock.now() == before


async def test_the_ledger_gets_the_asks_own_address(scene: DiscordScene) -> None:
    await scene.start()
    asked, reply = await deploying(scene)
    run = scene.api.runs[0]
    assert run.request_id == f"discord.demo.{scene.discord.fleet.id}.{asked.id}"
    assert run.reply == reply.id
    assert run.requested_by == f"discord:{scene.operator.id} operator"


async def test_the_asker_alone_is_pinged_and_once(scene: DiscordScene) -> None:
    await scene.start()
    await deploying(scene)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    await scene.clock.turn(60)
    (ping,) = pings(scene)
    assert ping.body["allowed_mentions"] == {"parse": [], "users": [int(scene.operator.id)]}


async def test_a_failure_says_where_why_and_what_next(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.change(
        1,
        status="completed",
        conclusion="failure",
        reason="claw-2 was replaced but did not become healthy within 900 s",
        jobs=(job(MOVES, "failure"),),
    )
    await scene.until(lambda: pings(scene))
    assert "🔴 **claw-2**" in reply.text
    assert "At\n" in reply.text
    assert "Why\nclaw-2 was replaced but did not become healthy within 900 s" in reply.text
    assert f"`/fleet deploy claw-2 {OLDER}`" in reply.text


async def test_deferred_first_however_slow_the_control_api_is(scene: DiscordScene) -> None:
    await scene.start()
    scene.api.released.clear()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.discord.until(lambda: asked.answer)
    assert asked.answer == 5
    assert asked.message is not None
    assert asked.message.loading
    await scene.clock.turn(10)
    scene.api.released.set()
    await scene.until(lambda: asked.message and "queued" in asked.message.text)


async def test_what_is_submitted_may_be_anything(scene: DiscordScene) -> None:
    await scene.start()
    target = "@everyone **x** <@1> `" + "x" * 5000
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    assert "There is no instance" in (await scene.replied(asked)).text


async def test_elsewhere_it_says_where_it_answers(scene: DiscordScene) -> None:
    await scene.start()
    lobby = scene.discord.channel("lobby")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", lobby, target="all")
    await scene.discord.until(lambda: asked.whispers)
    assert asked.whispers[0].text == f"I answer in <#{scene.discord.fleet.id}>."
    assert scene.api.count("deploy") == 0


async def test_one_that_is_answered_too_late_deploys_nothing(scene: DiscordScene) -> None:
    """After three seconds Discord takes no first answer, and tells the asker that it failed."""
    await scene.start()
    late = scene.discord.refuse_next("POST", "callback", 404, {"message": "?", "code": 10062})
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.until(lambda: late not in scene.discord.injected)
    after = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(after)
    assert not asked.answer
    assert scene.api.count("deploy") == 0


async def test_a_fleet_of_500_is_paged(scene: DiscordScene) -> None:
    ids = [f"claw-{n}" for n in range(1, 501)]
    scene.hosts(*(Claw(id_, OLDER if id_.endswith("7") else NEWEST) for id_ in ids[2:]))
    scene.api.registry = registry(*ids)
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    reply = await scene.replied(asked)
    assert "500 instances, 498 healthy, 2 missing, 50 on an older image" in reply.text
    assert "page 1 of 42, worst first" in reply.text
    assert reply.text.index("claw-1") < reply.text.index("claw-7")


async def test_a_deploy_that_github_took_and_denied_ends_as_it_ended(ec2: FakeEc2) -> None:
    """It lists the first run so late that the deploy is asked for again; the second one stops."""
    clock = TurnedClock()
    scene = DiscordScene(clock, ec2)
    scene.api = api = TimedControlApi(clock=clock, lag=20, denied=1)
    async with scene:
        await scene.start()
        asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
        reply = await scene.replied(asked)
        await scene.until(lambda: pings(scene))
    assert [run.conclusion for run in api.runs] == ["success", "failure"]
    assert reply.body["embeds"][0]["url"] == api.runs[0].url
    assert "done" in reply.text
    assert not any("failed" in str(body) for body in reply.bodies)
