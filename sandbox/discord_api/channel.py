"""A guild's channels and threads, and their JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

EPOCH_MILLISECONDS = 1_420_070_400_000
VIEW_CHANNEL, SEND_MESSAGES = 1 << 10, 1 << 11
# The kind of a channel whose threads alone hold messages.
FORUM = 15
READ_MESSAGE_HISTORY, SEND_MESSAGES_IN_THREADS = 1 << 16, 1 << 38


def born(snowflake: str) -> float:
    """When an id was made, in Unix seconds."""
    return ((int(snowflake) >> 22) + EPOCH_MILLISECONDS) / 1000


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


@dataclass(slots=True)
class Channel:
    """A text channel, or one of another `kind`, or a thread of `parent`, which may be archived, and
    then locked.

    `denied` are permission bits that nobody but administrators has there; a thread has those of
    its channel. A private one is the chat of a bot and the person of that id.
    """

    id: str
    name: str
    denied: int = 0
    parent: str | None = None
    archived: bool = False
    locked: bool = False
    private: str = ""
    kind: int = 0

    @property
    def sending(self) -> int:
        """The permission that sending here needs."""
        return SEND_MESSAGES_IN_THREADS if self.parent else SEND_MESSAGES

    def payload(self, guild: str) -> dict[str, Any]:
        if self.private:
            return {"id": self.id, "type": 1, "flags": 0, "recipients": []}
        if self.parent:
            return self._thread(guild)
        deny = {"id": guild, "type": 0, "allow": "0", "deny": str(self.denied)}
        return {
            "id": self.id,
            "guild_id": guild,
            "type": self.kind,
            "name": self.name,
            "position": 0,
            "topic": None,
            "nsfw": False,
            "parent_id": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "flags": 0,
            "permission_overwrites": [deny] if self.denied else [],
        }

    def _thread(self, guild: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "guild_id": guild,
            "type": 11,
            "name": self.name,
            "parent_id": self.parent,
            "owner_id": "1",
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "flags": 0,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": {
                "archived": self.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": moment(born(self.id)),
                "create_timestamp": moment(born(self.id)),
                "locked": self.locked,
            },
        }
