"""Two hundred people within a second, before a fleet of five hundred."""

import asyncio

from tests.clawbot.bots import registry
from tests.discord.ec2 import Claw
from tests.discord.scene import DiscordScene

PEOPLE, INSTANCES = 200, 500


async def test_200_at_once_are_each_answered_once_from_one_read(scene: DiscordScene) -> None:
    ids = [f"claw-{n}" for n in range(1, INSTANCES + 1)]
    scene.api.registry = registry(*ids)
    scene.hosts(*map(Claw, ids))
    await scene.start()
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "status"))
    await scene.clock.turn(3)  # what was read so far is old by now
    scene.ec2.asked.clear()
    asked = await asyncio.gather(
        *(scene.discord.command(scene.app, scene.visitor, "status") for _ in range(PEOPLE))
    )
    replies = [await scene.replied(one) for one in asked]
    assert [one.answers for one in asked] == [1] * PEOPLE
    assert [one.answer for one in asked] == [5] * PEOPLE
    assert len({reply.id for reply in replies}) == PEOPLE
    assert all("500 instances, 500 healthy" in reply.text for reply in replies)
    assert scene.ec2.counts["DescribeInstances"] == 1
    acknowledged = [one.acknowledged for one in asked]
    assert acknowledged == sorted(acknowledged)


async def test_each_is_deferred_while_the_control_api_keeps_them_all_waiting(
    scene: DiscordScene,
) -> None:
    await scene.start()
    scene.api.released.clear()
    asked = await asyncio.gather(
        *(
            scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
            for _ in range(20)
        )
    )
    await scene.discord.until(lambda: all(one.answer for one in asked))
    assert [one.answer for one in asked] == [5] * 20
    assert not any("queued" in one.message.text for one in asked if one.message)
    scene.api.released.set()
    replies = [await scene.replied(one) for one in asked]
    await scene.until(lambda: all("queued" in reply.text for reply in replies))
