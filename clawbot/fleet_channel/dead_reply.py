"""The reply of a bot that is gone, which is answered once with where its deploy is told now."""

import logging

from clawbot.fleet_channel.channel import FleetChannel
from clawbot.fleet_channel.lease import ChannelLease
from fleet_control.ledger import Run, parse_request_id

log = logging.getLogger(__name__)


class DeadReply:
    """The one to whoever asked for this run, as far as the control table says, by the `lease`, that
    there is one to be answered."""

    def __init__(self, run: Run, lease: ChannelLease, channel: FleetChannel) -> None:
        self._request_id = run.request_id
        self._asked_in = parse_request_id(run.request_id).channel if run.request_id else ""
        self._lease = lease
        self._channel = channel

    @property
    def id_here(self) -> str:
        """The reply, where it stands in the fleet's channel itself: a message there answers it."""
        is_here = f"{self._channel.platform}:{self._asked_in}" == self._channel.name
        return self._lease.dead_reply if is_here else ""

    async def answer(self, to: str) -> None:
        """Answer it with the message `to`, in which its deploy is told, unless that was done. What
        the platform does not take for now is left to the next time."""
        await self._lease.certain()
        dead = self._lease.dead_reply
        if dead and (self.id_here or await self._pointed(dead, to)):
            await self._lease.answered()

    async def _pointed(self, dead: str, to: str) -> bool:
        try:
            return await self._channel.point(self._asked_in, dead, to)
        except Exception:
            log.exception("fleet.dead_reply_not_answered request_id=%s", self._request_id)
            return False
