"""The fleet's channel on one platform: where a bot speaks without having been asked."""

from typing import Protocol

from clawbot.living_reply import ReplyMessage


class FleetChannel(Protocol):
    """One platform's channel, or topic, that is told of the fleet.

    Attributes:
        name: as the Control API has it, `discord:<channel>` or `telegram:<chat>[/<topic>]`.
        platform: `discord` or `telegram`.
        calls: who is called for failures, as `discord:<user>`, `discord:&<role>` or
            `telegram:<user>`.
    """

    name: str
    platform: str
    calls: tuple[str, ...]

    def message(self, id_: str = "", answers: str = "") -> ReplyMessage:
        """Our message of that id there, which an earlier process may have sent; without an id a
        new one, which answers the message `answers` where that stands in this channel."""
        ...

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        """Answer another bot's dead reply in the channel `asked_in` with where it goes on: in our
        message `to`. Whether that is over: it was said, or can't be said there. False where the
        platform is away for now."""
        ...
