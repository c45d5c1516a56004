"""Who asks: a person, a bot instance of the fleet, or anybody else.

Standard library only: the Lambda carries this file.
"""

import re
from typing import NamedTuple

ALL = "all"

_INSTANCE_ID = r"[a-z0-9](?:-?[a-z0-9])*"
_INSTANCE_ID_LENGTH = 32


class Human(NamedTuple):
    """A person, by the account a platform vouches for.

    Attributes:
        account: ``<platform>:<user id>``, or a name that a signed request proved.
        name: what the platform shows; never decides anything.
        operator: whether this person may deploy. A depth that cannot look it up takes the
            word of the depth that signed for the person.
    """

    account: str
    name: str = ""
    operator: bool = False


class BotInstance(NamedTuple):
    """A program of the fleet, by the registry id of the instance it runs on."""

    instance: str


class Unknown(NamedTuple):
    """Anyone else: a foreign bot, a webhook, a forwarded message; `reason` says which."""

    reason: str


Caller = Human | BotInstance | Unknown


def is_operator(caller: Caller) -> bool:
    """Whether it is a person who may deploy."""
    return isinstance(caller, Human) and caller.operator


def is_instance_id(text: str) -> bool:
    """Whether `text` may name an instance: ``[a-z0-9](-?[a-z0-9])*``, at most 32, never ``all``."""
    return (
        len(text) <= _INSTANCE_ID_LENGTH
        and text != ALL
        and re.fullmatch(_INSTANCE_ID, text) is not None
    )


def is_target(text: str) -> bool:
    """Whether `text` may name what a deploy replaces: ``all`` or an instance id."""
    return text == ALL or is_instance_id(text)
