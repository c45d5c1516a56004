"""Where in Discord we answer: in one guild, and there in its listed channels or in all."""

from typing import Any

import discord

from clawbot.discord import acknowledgement
from clawbot.discord.reply import NOBODY
from clawbot.settings import Settings


class Served:
    """The guild and the channels of one bot's settings."""

    def __init__(self, settings: Settings) -> None:
        self._guild = settings.discord_guild
        self._listed = settings.discord_channels

    def has(self, guild: int | None, places: tuple[int | None, ...]) -> bool:
        """Whether we answer there; a thread counts as its channel."""
        return guild == self._guild and (
            not self._listed or any(place in self._listed for place in places)
        )

    async def refuse(self, interaction: discord.Interaction[Any]) -> None:
        """Say where we answer, to one who asked elsewhere."""
        text = "I serve another guild."
        if interaction.guild_id == self._guild:
            text = f"I answer in {', '.join(f'<#{channel}>' for channel in self._listed[:10])}."
        await acknowledgement.heard(
            interaction,
            lambda: interaction.response.send_message(
                text, ephemeral=True, allowed_mentions=NOBODY
            ),
        )


def places(interaction: discord.Interaction[Any]) -> tuple[int | None, int | None]:
    """The channel of an interaction, and of a thread the channel that it is in."""
    return interaction.channel_id, getattr(interaction.channel, "parent_id", None)
