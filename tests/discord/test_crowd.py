"""A channel full of strangers: an operator is answered as if they were not there."""

import pytest

from tests.discord.dialogue import answer, said, with_account
from tests.discord.scene import DiscordScene

CROWD = 45
# Each call takes one, and an answer a few calls.
SOON_SECONDS = 10.0


@pytest.mark.parametrize("one_often", [False, True], ids=["many strangers", "one stranger"])
async def test_an_operator_s_mention_is_answered_before_a_crowd_s(
    scene: DiscordScene, one_often: bool
) -> None:
    people = [scene.discord.person(f"stranger-{number}") for number in range(CROWD)]
    await scene.start()
    scene.discord.slowness = 1.0
    for one in people:
        await said(scene, people[0] if one_often else one, "/fleet status")
    begun = scene.clock.now()
    asked = await said(scene, scene.operator, "/fleet status")
    await scene.until(lambda: any(one.reference == asked.id for one in scene.channel()), each=0.1)
    assert scene.clock.now() - begun <= SOON_SECONDS


async def test_a_crowd_s_commands_keep_no_operator_waiting(scene: DiscordScene) -> None:
    people = [scene.discord.person(f"stranger-{number}") for number in range(CROWD)]
    await scene.start()
    scene.discord.slowness = 1.0
    for one in people:
        await scene.discord.command(scene.app, one, "status")
    begun = scene.clock.now()
    asked = await scene.discord.command(scene.app, scene.operator, "status")
    await scene.until(lambda: asked.message and not asked.message.loading, each=0.1)
    assert scene.clock.now() - begun <= SOON_SECONDS


async def test_every_stranger_is_answered_and_one_who_asks_often_is_told_once(
    scene: DiscordScene,
) -> None:
    people = [scene.discord.person(f"stranger-{number}") for number in range(5)]
    await scene.start()
    scene.discord.slowness = 1.0
    asked = [await said(scene, one, "/fleet status") for one in people]
    again = [await said(scene, people[0], "/fleet status") for _ in range(CROWD)]
    told = await answer(scene, again[0])
    assert told.text.startswith("One at a time:")
    for one in asked:
        assert "2 instances" in (await answer(scene, one)).text
    assert not any(one.reference in {later.id for later in again[1:]} for one in scene.channel())


async def test_an_instance_asks_one_at_a_time_too_but_not_for_as_long_as_it_deploys(
    scene: DiscordScene,
) -> None:
    agent = scene.discord.person("agent", bot=True)
    scene.api.registry = with_account(agent)
    await scene.start()
    deploy = await answer(scene, await said(scene, agent, "/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in deploy.text)
    scene.discord.slowness = 1.0
    first, second = [await said(scene, agent, "/fleet status") for _ in range(2)]
    assert "2 instances" in (await answer(scene, first)).text
    assert "One at a time" in (await answer(scene, second)).text
