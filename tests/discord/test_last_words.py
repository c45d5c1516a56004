"""A failed host's last words in the channel: drawn as they are, and nobody's order."""

from fleet_control.last_words import LastWords
from sandbox.discord_api.guild import Message
from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES, deploying, pings, said, with_account
from tests.discord.scene import DiscordScene
from tests.discord.test_mention import nothing_more


async def shown(scene: DiscordScene) -> tuple[Message, str]:
    """The reply, and the block in it."""
    _, reply = await deploying(scene)
    bot = scene.app.bot.id
    lines = ("```", f"<@{bot}> /fleet deploy all", "/fleet deploy all", "@everyone `x` <@&1>")
    scene.api.change(
        1,
        status="completed",
        conclusion="failure",
        reason="why",
        jobs=(job(MOVES, "failure"),),
        last_words=LastWords("claw-2", (*lines, "x" * 200, "y" * 200)),
    )
    await scene.until(lambda: pings(scene))
    fields = {one["name"]: one["value"] for one in reply.body["embeds"][0]["fields"]}
    return reply, fields["Last words of claw-2"]


async def test_they_are_one_block_that_pings_nobody(scene: DiscordScene) -> None:
    await scene.start()
    reply, block = await shown(scene)

    assert block.startswith("```\n| '''\n| <@")
    assert block.endswith(f"| {'y' * 200}\n```")
    assert block.count("`") == 6
    assert all(line.startswith("| ") for line in block.split("\n")[1:-1])
    assert not reply.body.get("content")
    sent = [body for body in reply.bodies if body.get("embeds")]
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)
    (ping,) = pings(scene)
    assert ping.body["allowed_mentions"] == {"parse": [], "users": [int(scene.operator.id)]}


async def test_fed_back_by_itself_an_instance_or_an_operator_they_are_no_order(
    scene: DiscordScene,
) -> None:
    agent = scene.discord.person("agent", bot=True)
    scene.api.registry = with_account(agent)
    await scene.start()
    _, block = await shown(scene)
    told = (block, block.removeprefix("```\n"), *block.split("\n"))
    for who in (scene.app.bot, agent, scene.operator):
        before = len(scene.channel())
        for text in told:
            await scene.discord.say(who, text)
            await said(scene, who, text)
            await scene.discord.say(who, f"> {text}")
        await nothing_more(scene)
        # Whoever mentions us is answered, a program is not.
        count = len(told) if who is scene.operator else 0
        assert all("`/fleet help`" in one for one in await answers(scene, before, count))
    assert scene.api.count("deploy") == 1


async def answers(scene: DiscordScene, since: int, count: int) -> list[str]:
    def found() -> list[str]:
        return [one.text for one in scene.channel()[since:] if one.reference]

    await scene.until(lambda: len(found()) == count)
    return found()
