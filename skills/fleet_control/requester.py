"""Who asked, as a run's title names them; apart from `ledger`, since the Lambda only reads it."""

import re

from fleet_control.caller import BotInstance, Caller
from fleet_control.ledger import NAME_LENGTH

_UNSAFE = re.compile(r"[^\w.@-]+")


def caller_field(caller: Caller) -> str:
    """The ledger's `caller`: the bot instance's id, or nothing for a person."""
    return caller.instance if isinstance(caller, BotInstance) else ""


def requested_by(account: str, name: str) -> str:
    """``<platform>:<user id> <name>``, the name cut to 32 characters that are safe in a title."""
    safe = _UNSAFE.sub("-", name).strip("-")[:NAME_LENGTH]
    return f"{account} {safe}".rstrip()
