"""An interaction: a command, a button or an autocomplete, and the answers it got."""

import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord_api.channel import Channel
from sandbox.discord_api.guild import Guild, Member, Message

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
SUB_COMMAND, STRING, INTEGER = 1, 3, 4
ALL_PERMISSIONS = (1 << 53) - 1


@dataclass(slots=True)
class Interaction:
    """An interaction from its creation to its last answer.

    Attributes:
        kind: 2 a command, 3 a button, 4 autocomplete.
        answer: the type of the first answer; 0 before it.
        answers: how often a first answer was tried.
        message: the message that answers, or the one whose button was pressed.
        whispers: ephemeral follow-ups.
        sent, acknowledged: `time.perf_counter` when it left here, and when it was answered first.
    """

    id: str
    token: str
    application: str
    kind: int
    person: Member
    channel: Channel
    data: dict[str, Any]
    message: Message | None = None
    answer: int = 0
    answers: int = 0
    choices: list[dict[str, Any]] = field(default_factory=list)
    whispers: list[Message] = field(default_factory=list)
    sent: float = field(default_factory=time.perf_counter)
    acknowledged: float = 0.0

    @property
    def waited(self) -> float:
        """Seconds until the first answer."""
        return self.acknowledged - self.sent

    @property
    def focused(self) -> int:
        """The type of the option that is typed."""
        (typed,) = (one for one in self.data["options"][0]["options"] if "focused" in one)
        return int(typed["type"])

    def acknowledge(self, answer: int) -> None:
        self.answer = answer
        self.acknowledged = time.perf_counter()

    def payload(self, guild: Guild) -> dict[str, Any]:
        """INTERACTION_CREATE."""
        pressed = self.kind == COMPONENT and self.message is not None
        return {
            "id": self.id,
            "application_id": self.application,
            "type": self.kind,
            "token": self.token,
            "version": 1,
            "guild_id": guild.id,
            "guild": {"id": guild.id, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "locale": "en-US",
            "channel_id": self.channel.id,
            "channel": {**self.channel.payload(guild.id), "permissions": str(ALL_PERMISSIONS)},
            "member": {
                **self.person.member(guild),
                "user": self.person.user(),
                "permissions": str(guild.everyone),
                "unusual_dm_activity_until": None,
            },
            "app_permissions": str(guild.everyone),
            "data": self.data,
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild.id},
            "attachment_size_limit": 10_485_760,
            "context": 0,
            **(
                {"message": self.message.payload(guild.people)}
                if pressed and self.message is not None
                else {}
            ),
        }


def command_data(
    id_: str, guild: str, words: tuple[str, ...], options: dict[str, str | int], focused: str = ""
) -> dict[str, Any]:
    """`data` of a slash command with a sub-command, as the client of a person sends it."""
    name, sub = words
    given = [
        {
            "type": INTEGER if isinstance(value, int) else STRING,
            "name": key,
            "value": value,
            **({"focused": True} if key == focused else {}),
        }
        for key, value in options.items()
    ]
    return {
        "id": id_,
        "name": name,
        "type": 1,
        "guild_id": guild,
        "options": [{"type": SUB_COMMAND, "name": sub, **({"options": given} if given else {})}],
    }
