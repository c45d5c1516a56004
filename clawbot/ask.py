"""One thing said to the bot: by whom, in which words, and where."""

import logging
from dataclasses import dataclass

from clawbot.page import cut
from fleet_control.caller import Caller, Human
from fleet_control.ledger import RequestId
from fleet_control.run_title import requested_by

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing said to the bot.

    Attributes:
        channel, asked: ids of the place and of the message or interaction.
        account: ``<platform>:<user id>`` of who said it.
        name: what the platform shows of them.
        said: when, Unix seconds, where the platform may deliver it again after a crash; else 0.
        pressed: whether a button or a choice said it, whose label may have said anything else.
        doubted: whether it is an operator's of whom no registry has told yet that it is no
            instance: nothing is done for it.
    """

    caller: Caller
    platform: str
    channel: str
    asked: str
    account: str
    name: str = ""
    said: float = 0.0
    pressed: bool = False
    doubted: bool = False

    def audit(self, what: str) -> None:
        """The audit trail: one line for each thing somebody asks, whatever comes of it."""
        log.info("fleet.asked by=%s caller=%r what=%r", self.account, self.caller, cut(what, 80))

    @property
    def key(self) -> tuple[str, ...]:
        """What this ask is remembered by, so that it is deployed once."""
        return ("deploy", self.platform, self.channel, self.asked)

    def request_id(self, bot: str) -> RequestId:
        return RequestId(self.platform, bot, self.channel, self.asked)

    @property
    def requested_by(self) -> str:
        """As the ledger has it; nothing for a bot instance, which is named as the caller."""
        return requested_by(self.account, self.name) if isinstance(self.caller, Human) else ""
