"""A bot that was away too long says in its own message, and only there, who tells its deploy."""

import pytest

from clawbot.living_reply import NoPlace
from clawbot.progress import Stage
from clawbot.replies import GoesOn
from tests.discord.fleet_channels import announced, passes, told_by
from tests.discord.scene import DiscordScene


async def test_who_was_away_points_to_where_it_goes_on(scene: DiscordScene) -> None:
    guild, fleet = scene.discord.guild.id, scene.discord.fleet.id
    async with told_by(scene) as channel:
        for end in (
            GoesOn("Deploy claw-2", f"discord:{fleet}", "77"),
            GoesOn("Deploy claw-2", "telegram:-1001/5", "78"),
            GoesOn("Deploy claw-2"),
        ):
            await passes(scene, channel.message().show(end, None))
    link = f"https://discord.com/channels/{guild}/{fleet}/77"
    over = "Deploy claw-2\nThis is no longer kept up to date:"
    assert [one.text for one in scene.channel()] == [
        f"{over} it goes on in {link}.",
        f"{over} it goes on in Telegram.",
        f"{over} another bot tells how it goes.",
    ]


async def test_where_what_stood_is_gone_nobody_is_told_where_it_goes_on(
    scene: DiscordScene,
) -> None:
    """Whoever goes on with it has said so below it."""
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED), None))
        del scene.discord.guild.messages[message.id]
        before = len(scene.channel())
        for one in (message, channel.message(message.id)):
            with pytest.raises(NoPlace):
                await passes(scene, one.show(GoesOn("Deploy claw-2", "discord:1", "77"), 0.0))
    assert len(scene.channel()) == before


@pytest.mark.parametrize("away", [360.0, 6 * 3600.0])
async def test_who_comes_back_says_in_its_own_message_where_it_goes_on(
    scene: DiscordScene, away: float
) -> None:
    """However late: Discord refuses edits of an old message only after the first few."""
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED), None))
        await scene.clock.turn(away)
        back = channel.message(message.id)
        assert await passes(scene, back.show(GoesOn("Deploy claw-2", "discord:1", "77"), None))
        assert not await passes(scene, back.show(GoesOn("Deploy claw-2", "discord:1", "77"), None))
    (shown,) = scene.channel()
    assert "This is no longer kept up to date: it goes on in https://" in shown.text
    assert shown.buttons == {}
