"""What SSM says of a command sent to a host: it succeeds where the host is healthy."""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox import host_life
from sandbox.host_life import Lives
from sandbox.principal import ACCOUNT

# What `systemctl is-active` prints.
_SAID = {
    host_life.OK: "active",
    host_life.INITIALIZING: "activating",
    host_life.IMPAIRED: "inactive",
}
_EXIT_OF_INACTIVE = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as SSM's JSON protocol has it."""

    code: str
    message: str

    @property
    def body(self) -> bytes:
        return json.dumps({"__type": self.code, "message": self.message}).encode()


@dataclass(frozen=True, slots=True)
class _Sent:
    checks: str
    at: float


class ServiceChecks:
    """Remembers what each command found.

    `known` asks whether there is an ``instance`` or a ``document`` of a name, in a region.
    """

    def __init__(self, lives: Lives, known: Callable[[str, str, str], Awaitable[bool]]) -> None:
        self._lives = lives
        self._known = known
        self._sent: dict[tuple[str, str], _Sent] = {}

    async def send(
        self, region: str, asked: dict[str, Any], answer: dict[str, Any], now: float
    ) -> Refusal | None:
        """Take note of a command that moto accepted; or why SSM would not have."""
        document = str(asked.get("DocumentName", ""))
        if not await self._known(region, "document", document):
            return Refusal("InvalidDocument", f"document {document} does not exist")
        ids = [str(id_) for id_ in asked.get("InstanceIds", [])]
        deaf = [id_ for id_ in ids if not await self._hears(region, id_, now)]
        if deaf:
            listed = ", ".join(deaf)
            return Refusal(
                "InvalidInstanceId",
                f"Instances [[{listed}]] not in a valid state for account {ACCOUNT}",
            )
        self._note(str(answer["Command"]["CommandId"]), ids, now)
        return None

    async def _hears(self, region: str, id_: str, now: float) -> bool:
        """Whether there is an SSM agent: on every host that runs."""
        if self._lives.state(id_, host_life.RUNNING, now) != host_life.RUNNING:
            return False
        return await self._known(region, "instance", id_)

    def _note(self, command: str, ids: Iterable[str], now: float) -> None:
        for id_ in ids:
            checks = self._lives.checks(id_, host_life.RUNNING, now)
            self._sent[command, id_] = _Sent(checks, now)

    def invocation(self, answer: dict[str, Any], now: float) -> dict[str, Any]:
        """GetCommandInvocation, as the host would have made it."""
        sent = self._sent.get((str(answer.get("CommandId")), str(answer.get("InstanceId"))))
        if sent is None:
            return answer
        if now < sent.at + self._lives.timing.answering:
            return {
                **answer,
                "Status": "InProgress",
                "StatusDetails": "InProgress",
                "ResponseCode": -1,
                "StandardOutputContent": "",
                "ExecutionEndDateTime": "",
            }
        well = sent.checks == host_life.OK
        status = "Success" if well else "Failed"
        return {
            **answer,
            "Status": status,
            "StatusDetails": status,
            "ResponseCode": 0 if well else _EXIT_OF_INACTIVE,
            "StandardOutputContent": f"{_SAID[sent.checks]}\n",
        }
