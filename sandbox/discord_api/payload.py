"""Discord's JSON for an interaction that was answered, a stored command, and READY."""

from enum import StrEnum
from typing import Any

from sandbox.discord_api.guild import EPHEMERAL, Member, Message
from sandbox.discord_api.interaction import Interaction

DEFERRED_UPDATE, CHOICES = 6, 8


class Callback(StrEnum):
    """What Discord tells of a first answer: by its description it may leave the message out, or
    say nothing but 204."""

    FULL = "full"
    WITHOUT_MESSAGE = "without_message"
    NOTHING = "nothing"


def told(asked: Interaction, message: Message | None) -> dict[str, Any]:
    """The JSON of an interaction in the answer to its callback; `message` may be left out."""
    return {
        "id": asked.id,
        "type": asked.kind,
        **(
            {
                "response_message_id": message.id,
                "response_message_loading": message.loading,
                "response_message_ephemeral": bool(message.flags & EPHEMERAL),
            }
            if message is not None and asked.answer not in (DEFERRED_UPDATE, CHOICES)
            else {}
        ),
    }


def spelled(payload: dict[str, Any], id_: str, app: str, guild: str) -> dict[str, Any]:
    """The JSON of a stored command, with its defaults filled in."""
    permissions = payload.get("default_member_permissions")
    kept = {key: value for key, value in payload.items() if key != "dm_permission"}
    return {
        "dm_permission": True,
        "nsfw": False,
        **kept,
        "id": id_,
        "application_id": app,
        "guild_id": guild,
        "version": id_,
        "type": payload.get("type", 1),
        "name_localizations": None,
        "description_localizations": None,
        "contexts": None,
        "integration_types": [0],
        "default_member_permissions": None if permissions is None else str(permissions),
        "options": [_option(option) for option in payload.get("options", [])],
    }


def _option(option: dict[str, Any]) -> dict[str, Any]:
    """The JSON of an option, without what is false or empty."""
    kept = {key: value for key, value in option.items() if value not in (False, [], None)}
    if "options" in kept:
        kept["options"] = [_option(one) for one in kept["options"]]
    return kept


def ready(bot: Member, session: str, guild: str, url: str) -> dict[str, Any]:
    """READY, the gateway's first event; `url` is where to resume."""
    return {
        "v": 10,
        "user": {**bot.user(), "verified": True, "flags": 0},
        "guilds": [{"id": guild, "unavailable": True}],
        "session_id": session,
        "session_type": "normal",
        "resume_gateway_url": url,
        "application": {"id": bot.id, "flags": 0},
        "private_channels": [],
        "relationships": [],
    }
