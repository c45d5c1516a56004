"""A guild's members and messages, and their JSON."""

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from fleet_control.clock import Clock
from sandbox.discord_api.channel import EPOCH_MILLISECONDS, Channel, born, moment

EVERYONE = 0x0000_0040_000D_6C00  # view, send, also in threads, embed links, attach, history, …
EPHEMERAL, LOADING = 1 << 6, 1 << 7
_ROLE = re.compile("<@&([0-9]+)>")


class Snowflakes:
    """Ids that tell when they were made, by the clock given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = itertools.count(1)

    def next(self) -> str:
        made = int(self._clock.now() * 1000) - EPOCH_MILLISECONDS
        return str((made << 22) | (next(self._count) & 0x3F_FFFF))


@dataclass(slots=True)
class Member:
    """A member of every guild; `roles` can be changed while a bot is running."""

    id: str
    name: str
    bot: bool = False
    roles: set[str] = field(default_factory=set)
    nick: str | None = None

    def user(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "username": self.name,
            "global_name": None,
            "discriminator": "0",
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "public_flags": 0,
            **({"bot": True} if self.bot else {}),
        }

    def member(self, guild: "Guild") -> dict[str, Any]:
        """A guild's member, without the user, as messages carry it."""
        return {
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "roles": sorted(self.roles & set(guild.roles)),
            "joined_at": "2026-01-01T00:00:00.000000+00:00",
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }


@dataclass(slots=True)
class Message:
    """A message as it stands now, and each body it had; `answers`: of an interaction.

    `asked` is the interaction that it answers first: its id, its kind, and whose it was.
    `late_edits` counts those that came when it was old.
    """

    id: str
    channel: str
    author: Member
    body: dict[str, Any]
    flags: int = 0
    webhook_id: str | None = None
    reference: str | None = None
    edited: str | None = None
    answers: bool = False
    late_edits: int = 0
    asked: tuple[str, int, Member] | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that can be read in the message, in one string."""
        said = [self.body.get("content") or ""]
        for embed in self.body.get("embeds") or []:
            said += [embed.get("title") or "", embed.get("description") or ""]
            said += [f"{one['name']}\n{one['value']}" for one in embed.get("fields", [])]
            said.append((embed.get("footer") or {}).get("text", ""))
        return "\n".join(part for part in said if part)

    @property
    def buttons(self) -> dict[str, str]:
        """Custom ids by label, of the buttons that can be pressed."""
        return {
            button["label"]: button["custom_id"]
            for row in self.body.get("components") or []
            for button in row["components"]
            if "custom_id" in button and not button.get("disabled")
        }

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    def change(self, body: dict[str, Any], edited: str) -> None:
        """An edit replaces what it names and leaves the rest."""
        self.body = {**self.body, **body}
        self.flags &= ~LOADING
        self.edited = edited
        self.bodies.append(self.body)

    def payload(self, people: dict[str, Member]) -> dict[str, Any]:
        content = self.body.get("content") or ""
        named = [
            one
            for one in people.values()
            if f"<@{one.id}>" in content or f"<@!{one.id}>" in content
        ]
        return {
            "id": self.id,
            "channel_id": self.channel,
            "type": 20 if self.answers else 19 if self.reference else 0,
            "author": self.author.user(),
            "content": content,
            "embeds": [{"type": "rich", **embed} for embed in self.body.get("embeds") or []],
            "components": _numbered(self.body.get("components") or []),
            "attachments": [],
            "mentions": [one.user() for one in named],
            "mention_roles": _ROLE.findall(content),
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "flags": self.flags,
            "timestamp": moment(born(self.id)),
            "edited_timestamp": self.edited,
            **({"webhook_id": self.webhook_id} if self.webhook_id else {}),
            **({"application_id": self.webhook_id} if self.answers else {}),
            **({"interaction_metadata": _metadata(*self.asked)} if self.asked else {}),
            **(
                {"message_reference": {"message_id": self.reference, "channel_id": self.channel}}
                if self.reference
                else {}
            ),
        }


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Components as Discord gives them back: numbered through, and without what is not so."""
    numbers = itertools.count(1)

    def given_back(one: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in one.items() if value not in (None, False)}
        numbered = {"id": next(numbers), **kept}
        inner = [given_back(each) for each in one.get("components", [])]
        return numbered | ({"components": inner} if inner else {})

    return [given_back(row) for row in rows]


def _metadata(interaction: str, kind: int, person: Member) -> dict[str, Any]:
    """Which interaction a message answers."""
    owners = {"0": interaction}
    user = person.user()
    return {"id": interaction, "type": kind, "user": user, "authorizing_integration_owners": owners}


@dataclass(slots=True)
class Guild:
    """One guild; `people` by account id, `channels` by id, `everyone` what all may do there,
    `own_roles` a bot's id by its role's.

    `absent` are the bots that were put out of it, `mentionable` the roles that anyone may call.
    """

    id: str
    name: str = "Fleet"
    everyone: int = EVERYONE
    people: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    own_roles: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    mentionable: set[str] = field(default_factory=set)

    def may(self, channel: Channel, needed: int) -> bool:
        """Whether those who are no administrators may do that there."""
        governing = self.channels.get(channel.parent or "", channel)
        return not needed & (governing.denied | ~self.everyone)

    def in_channel(self, channel: str) -> list[Message]:
        return [one for one in self.messages.values() if one.channel == channel]

    def _shown(self) -> list[Channel]:
        """Those that its members see: no thread that is closed, and nobody's private chat."""
        return [one for one in self.channels.values() if not (one.archived or one.private)]

    def role(self, id_: str, name: str, permissions: int) -> dict[str, Any]:
        return {
            "id": id_,
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0,
            "permissions": str(permissions),
            "managed": id_ in self.own_roles,
            "mentionable": id_ in self.mentionable,
            "flags": 0,
            **({"tags": {"bot_id": self.own_roles[id_]}} if id_ in self.own_roles else {}),
        }

    def everyones(self) -> dict[str, Any]:
        """The role that everybody has."""
        return self.role(self.id, "@everyone", self.everyone)

    def payload(self, me: Member) -> dict[str, Any]:
        """GUILD_CREATE, as a bot without the members intent gets it: itself is the only member."""
        named = [self.role(id_, name, 0) for id_, name in self.roles.items()]
        return {
            "id": self.id,
            "name": self.name,
            "owner_id": "1",
            "icon": None,
            "splash": None,
            "banner": None,
            "description": None,
            "unavailable": False,
            "large": False,
            "member_count": len(self.people),
            "joined_at": "2026-01-01T00:00:00.000000+00:00",
            "preferred_locale": "en-US",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_progress_bar_enabled": False,
            "features": [],
            "emojis": [],
            "stickers": [],
            "threads": [one.payload(self.id) for one in self._shown() if one.parent],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "roles": [self.everyones(), *named],
            "channels": [one.payload(self.id) for one in self._shown() if not one.parent],
            "members": [{**me.member(self), "user": me.user()}],
        }
