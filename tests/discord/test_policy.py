"""The core's own table, row for row, as somebody meets it in Discord: the same verdicts."""

import pytest

from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.policy import Allowed, Facts, RefusalCode, Refused, Usage, first_look
from sandbox.discord_api.guild import Member, Message
from tests.discord.dialogue import answer, said
from tests.discord.scene import DiscordScene
from tests.fleet_control.test_policy import OPERATOR, TABLE
from tests.policy_facts import carried, show


@pytest.mark.parametrize(
    ("caller", "target", "image", "facts", "verdict"),
    [row for row in TABLE if not isinstance(row[0], Unknown)],
)
async def test_discord_says_what_the_core_says(
    scene: DiscordScene, caller: Caller, target: str, image: str, facts: Facts, verdict: object
) -> None:
    agent = scene.discord.person("agent", bot=True)
    show(facts, scene.api, scene.ec2, discordUserId=agent.id)
    await scene.start("demo", scene.app, **carried(facts))
    speaker = agent if isinstance(caller, BotInstance) else _person(scene, caller)
    reply = await _reply(scene, speaker, target, image)
    match first_look(caller, target, image, facts._replace(asked_later=True)):
        case Refused(_, message):
            assert _plain(reply) == message.replace("`", "")
            assert scene.api.count("deploy") == 0
        case Usage(ids):
            assert all(f"`{id_}`" in reply.text for id_ in ("all", *ids))
        case Allowed(confirm, override=override) if confirm:
            assert list(reply.buttons) == ["Override" if override else "Deploy", "Leave it"]
            assert confirm.replace("`", "") in _plain(reply)
        case Allowed(doubt=doubt):
            assert doubt.replace("`", "") in _plain(reply)
            assert ("🟡" in reply.text) == bool(doubt)
            assert verdict == (RefusalCode(doubt.split("`")[1]) if doubt else Allowed())
            await scene.until(lambda: scene.api.count("deploy") == 1)


async def _reply(scene: DiscordScene, speaker: Member, target: str, image: str) -> Message:
    """By the menu, where that lets them ask so."""
    if speaker.bot or not target:
        words = " ".join(word for word in ("/fleet deploy", target, image) if word)
        return await answer(scene, await said(scene, speaker, words))
    options = {"target": target} | ({"image_or_commit": image} if image else {})
    asked = await scene.discord.command(
        scene.app, speaker, "deploy", scene.discord.fleet, **options
    )
    return await scene.replied(asked)


def _person(scene: DiscordScene, caller: Caller) -> Member:
    assert isinstance(caller, Human)
    return scene.operator if caller == OPERATOR else scene.visitor


def _plain(reply: Message) -> str:
    """Without the markup that keeps what was typed from being any."""
    return reply.text.replace("\\", "").replace("`", "")
