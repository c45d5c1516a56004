"""One thing said to the bot, and the place where its reply goes."""

from dataclasses import dataclass
from typing import Protocol

from clawbot.replies import Reply
from fleet_control.caller import Caller, Human
from fleet_control.ledger import RequestId, requested_by


class Chat(Protocol):
    """Where one ask came from: send a reply there, and change it."""

    async def send(self, reply: Reply) -> str:
        """The new reply's id, as the platform names it."""
        ...

    async def edit(self, reply_id: str, reply: Reply) -> None: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing said to the bot.

    Attributes:
        channel, asked: ids of the place and of the message or interaction.
        account: ``<platform>:<user id>`` of who said it.
        name: what the platform shows of them.
    """

    caller: Caller
    platform: str
    channel: str
    asked: str
    account: str
    name: str = ""

    def request_id(self, bot: str) -> RequestId:
        return RequestId(self.platform, bot, self.channel, self.asked)

    @property
    def requested_by(self) -> str:
        """As the ledger has it; nothing for a bot instance, which is named as the caller."""
        return requested_by(self.account, self.name) if isinstance(self.caller, Human) else ""
