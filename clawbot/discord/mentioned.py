"""Who is called in a message of ours: exactly those, and nobody else whom it happens to name."""

from dataclasses import dataclass
from typing import Self

import discord

from clawbot.discord.speaker import PLATFORM


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Users and roles of Discord, by their ids."""

    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()

    @classmethod
    def of(cls, *names: str) -> Self:
        """Each once, of those that are Discord's, as in ``discord:801`` or ``discord:&55``."""
        users, roles = dict[int, None](), dict[int, None]()
        for name in names:
            platform, _, whom = name.partition(":")
            kind = roles if whom.startswith("&") else users
            if platform == PLATFORM and whom.removeprefix("&").isdecimal():
                kind[int(whom.removeprefix("&"))] = None
        return cls(tuple(users), tuple(roles))

    def __bool__(self) -> bool:
        return bool(self.users or self.roles)

    @property
    def mentions(self) -> str:
        """What calls them where it stands in a message's content."""
        users = (f"<@{one}>" for one in self.users)
        return " ".join((*users, *(f"<@&{one}>" for one in self.roles)))

    @property
    def allowed(self) -> discord.AllowedMentions:
        """Without this Discord calls nobody, or whomever the text names."""
        if not self:
            return discord.AllowedMentions.none()
        return discord.AllowedMentions(
            everyone=False,
            users=[discord.Object(one) for one in self.users] or False,
            roles=[discord.Object(one) for one in self.roles] or False,
            replied_user=False,
        )
