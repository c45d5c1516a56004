"""A button that is rebuilt from its id at each press, and so outlives its process."""

import re
from typing import Any, Protocol, runtime_checkable

import discord

from clawbot.discord.custom_id import PATTERN

COG = "fleet"


@runtime_checkable
class Pressed(Protocol):
    """Who takes a press: the cog of the bot that heard it."""

    async def press(self, interaction: discord.Interaction, custom_id: str) -> None: ...


class FleetButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=PATTERN):
    """`custom_id` is its whole meaning."""

    def __init__(
        self, custom_id: str, label: str, style: discord.ButtonStyle | None = None
    ) -> None:
        style = style or discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(custom_id=custom_id, label=label, style=style))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
    ) -> "FleetButton":
        label = item.label if isinstance(item, discord.ui.Button) else None
        return cls(match.string, label or "")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        cog = interaction.client.get_cog(COG)
        if isinstance(cog, Pressed):
            await cog.press(interaction, self.custom_id)
