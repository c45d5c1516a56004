"""Commands as people give them in Discord, and what they see."""

from tests.discord.ec2 import NEWEST, OLDER, Claw
from tests.discord.scene import DiscordScene


async def test_status_shows_each_instance(scene: DiscordScene) -> None:
    scene.hosts(Claw("claw-1"), Claw("claw-2", OLDER))
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    reply = await scene.replied(asked)
    assert asked.answer == 5
    assert "2 instances, 2 healthy, 1 on an older image" in reply.text
    assert (
        "**claw-1** · healthy · newest image, 2 days old · revision unknown · started <t:"
        in reply.text
    )
    assert "image is 7 days older than the newest" in reply.text
    assert NEWEST in reply.text


async def test_elsewhere_ten_of_its_channels_are_named(scene: DiscordScene) -> None:
    channels = [scene.discord.channel(f"fleet-{number}").id for number in range(12)]
    await scene.start(CLAWBOT_DISCORD_CHANNELS=",".join(channels))
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    await scene.until(lambda: asked.whispers)
    named = ", ".join(f"<#{channel}>" for channel in channels[:10])
    assert asked.whispers[0].text == f"I answer in {named}."
