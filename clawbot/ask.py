"""One thing said to the bot: by whom, in which words, and where."""

import logging
from dataclasses import dataclass

from clawbot.page import cut
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.ledger import RequestId
from fleet_control.line import printable
from fleet_control.run_title import requested_by

# As much of a name, and of what was said, as a line of the log needs.
_NAME, _WHAT = 32, 80

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing said to the bot.

    Attributes:
        bot: which heard it, by the name its key carries.
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
    bot: str
    channel: str
    asked: str
    account: str
    name: str = ""
    said: float = 0.0
    pressed: bool = False
    doubted: bool = False

    def audit(self, what: str) -> None:
        """The audit trail: one line for each thing somebody asks, whatever comes of it."""
        kind, known_as = _caller(self.caller)
        log.info(
            "fleet.asked request_id=%s platform=%s bot=%s channel=%s asked=%s account=%s name=%s "
            "caller=%s known_as=%s what=%s",
            *(self.request_id, *self.request_id),
            self.account,
            cut(printable(self.name), _NAME),
            kind,
            known_as,
            cut(printable(what), _WHAT),
        )

    def refused(self, code: str) -> None:
        """The line of a refusal, by its code."""
        log.info("fleet.refused code=%s by=%s request_id=%s", code, self.account, self.request_id)

    @property
    def key(self) -> tuple[str, ...]:
        """What this ask is remembered by, so that it is deployed once."""
        return ("deploy", self.platform, self.channel, self.asked)

    @property
    def request_id(self) -> RequestId:
        """What it is followed by: through this log and the Control API's to its run's title."""
        return RequestId(self.platform, self.bot, self.channel, self.asked)

    @property
    def requested_by(self) -> str:
        """As the ledger has it; nothing for a bot instance, which is named as the caller."""
        return requested_by(self.account, self.name) if isinstance(self.caller, Human) else ""


def _caller(caller: Caller) -> tuple[str, str]:
    """The kind of whoever asks; and which instance it is, or why nobody is known."""
    match caller:
        case Human(operator=operator):
            return "operator" if operator else "person", ""
        case BotInstance(instance):
            return "instance", instance
        case Unknown(reason):
            return "unknown", reason
