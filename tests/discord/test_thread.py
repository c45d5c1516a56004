"""A thread counts as the channel it belongs to."""

from tests.discord.dialogue import pings_in
from tests.discord.scene import DiscordScene


async def test_a_command_in_a_thread_is_answered_there(scene: DiscordScene) -> None:
    thread = scene.discord.channel("about claw-2", scene.discord.fleet)
    await scene.start()
    asked = await scene.discord.command(
        scene.app, scene.operator, "deploy", thread, target="claw-2"
    )
    reply = await scene.replied(asked)
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.runs[0].request_id == f"discord.demo.{thread.id}.{asked.id}"


async def test_its_successor_finishes_what_stands_in_a_thread(scene: DiscordScene) -> None:
    thread = scene.discord.channel("about claw-2", scene.discord.fleet)
    await scene.start()
    content = f"<@{scene.app.bot.id}> /fleet deploy claw-2"
    await scene.discord.say(scene.operator, content, thread)
    there = scene.discord.guild.in_channel
    await scene.until(lambda: any("queued" in one.text for one in there(thread.id)))
    await scene.stop()
    scene.api.done(1)
    await scene.start()
    await scene.until(lambda: any("done" in one.text for one in there(thread.id)))
    assert pings_in(scene.discord) == []


async def test_a_thread_elsewhere_is_elsewhere(scene: DiscordScene) -> None:
    lobby = scene.discord.channel("lobby")
    thread = scene.discord.channel("about claw-2", lobby)
    await scene.start()
    asked = await scene.discord.command(
        scene.app, scene.operator, "deploy", thread, target="claw-2"
    )
    await scene.discord.until(lambda: asked.whispers)
    assert asked.whispers[0].text == f"I answer in <#{scene.discord.fleet.id}>."
