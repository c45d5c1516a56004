"""Discord's JSON for an interaction that was answered, a stored command, and READY."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sandbox.discord_api.guild import EPHEMERAL, Member, Message
from sandbox.discord_api.interaction import Interaction

DEFERRED_UPDATE, CHOICES = 6, 8
# What Discord's description lets it leave out, of whichever object has it.
_OPTIONAL = frozenset(
    {
        *("accent_color", "avatar_decoration_data", "banner", "public_flags", "nick"),
        *("communication_disabled_until", "pending", "premium_since", "create_timestamp"),
        *("last_message_id", "nsfw", "rate_limit_per_user", "topic", "total_message_sent"),
        *("guild", "guild_locale", "colors", "message_reference"),
    }
)


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


def application(bot: Member) -> dict[str, Any]:
    """The JSON of the application that a bot is of."""
    return {
        "id": bot.id,
        "name": bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "owner": {**bot.user(), "id": "1", "username": "owner", "bot": False},
        "team": None,
        "interactions_endpoint_url": None,
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


def ready(bot: Member, session: str, guilds: Iterable[str], url: str) -> dict[str, Any]:
    """READY, the gateway's first event; `url` is where to resume."""
    return {
        "v": 10,
        "user": {**bot.user(), "verified": True, "flags": 0},
        "guilds": [{"id": guild, "unavailable": True} for guild in guilds],
        "session_id": session,
        "session_type": "normal",
        "resume_gateway_url": url,
        "application": {"id": bot.id, "flags": 0},
        "private_channels": [],
        "relationships": [],
    }


def sparse(payload: Any) -> Any:
    """A payload without what is optional in it."""
    if isinstance(payload, list):
        return [sparse(one) for one in payload]
    if not isinstance(payload, dict):
        return payload
    return {key: sparse(value) for key, value in payload.items() if key not in _OPTIONAL}
