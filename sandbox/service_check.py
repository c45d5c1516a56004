"""SSM's answer to a command sent to a host, in moto's process: the host's own health answer.

moto's own commands succeed at once wherever they are sent, even where nothing is.
"""

import hashlib
import json
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ssm import models
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Command, ssm_backends

from fleet_control.mask import masked
from sandbox.host_lifecycle import HostInstance
from sandbox.host_rules import SECRET, Behaviour

_AGENT, _BOT = "clawdinator.service", "clawbot.service"
_LAST_WORDS = f"no model takes {SECRET}\nMain process exited, code=exited, status=1/FAILURE"
# So much of what a command prints SSM passes on, in characters.
_PASSED_ON = 24_000
_STILL_RUNNING = {
    "Status": "InProgress",
    "StatusDetails": "InProgress",
    "ResponseCode": -1,
    "StandardOutputContent": "",
    "ExecutionEndDateTime": "",
}


class ServiceCheck(Command):
    """A command that was sent, and what each host made of it; refused where nobody hears it."""

    def __init__(self, **asked: Any) -> None:
        account, region, ids = asked["account_id"], asked["backend_region"], asked["instance_ids"]
        ssm_backends[account][region].get_document(asked["document_name"], "", "", "")
        running = ec2_backends[account][region].all_running_instances()
        self._hosts: dict[str, Any] = {host.id: host for host in running if _hears(host)}
        if deaf := ", ".join(id_ for id_ in ids if id_ not in self._hosts):
            raise SSMException(
                "InvalidInstanceId",
                f"Instances [[{deaf}]] not in a valid state for account {account}",
            )
        self._sent = HostInstance.rules.now()
        super().__init__(**asked)

    def _get_instance_ids_from_targets(self) -> list[str]:
        """None: without targets moto would add every host there is."""
        return []

    def invocation_response(self, instance_id: str, plugin_name: str) -> dict[str, Any]:
        return {
            **super().invocation_response(instance_id, plugin_name),
            "Status": "Success",
            "StatusDetails": "Success",
            "ResponseCode": 0,
            "StandardOutputContent": said(self._hosts[instance_id])[:_PASSED_ON],
        }

    def get_invocation(self, instance_id: str, plugin_name: str | None) -> dict[str, Any]:
        answer = super().get_invocation(instance_id, plugin_name)
        running = HostInstance.rules.now() < self._sent + HostInstance.rules.timing.answering
        if running or self._hosts[instance_id].way is Behaviour.SILENT:
            return {**answer, **_STILL_RUNNING}
        return answer


def _hears(host: Any) -> bool:
    """Whether its SSM agent is there, as on every host that runs, but for one that is late."""
    return host.way is not Behaviour.LATE or bool(host.up >= host.rules.timing.late)


def said(host: Any) -> str:
    """What `clawdinator-health`, or a broken program in its place, prints there."""
    match host.way:
        case Behaviour.GARBAGE:
            return "@everyone ::error::active"
        case Behaviour.FLOOD:
            return "active\n" * 150_000
    return json.dumps(_answer(host))


def _answer(host: Any) -> dict[str, Any]:
    tags = {tag["key"]: tag["value"] for tag in host.get_tags()}
    name, revision = tags.get("Name", ""), host.booted.revision or tags.get("revision", "")
    units = [_AGENT] if host.way is Behaviour.NO_BOT else [_AGENT, _BOT]
    told = {unit: _unit(host, unit) for unit in units}
    ill = any(one["state"] != "active" or one["restarts"] for one in told.values())
    return {
        "instance": "another" if host.way is Behaviour.OTHER_NAME else name,
        "revision": "b" * 40 if host.way is Behaviour.OTHER_REVISION else revision,
        "units": told,
        "journal": masked(_LAST_WORDS, [SECRET]) if ill else "",
    }


def _unit(host: Any, name: str) -> dict[str, Any]:
    if not host.well or host.booted.trouble:
        state, sub, restarts, since = "activating", "start", 0, 0.0
    else:
        state, sub = "active", "running"
        restarts, since = _starts(host.way, name, host.up, host.rules.timing.lasting)
    invocation = hashlib.md5(f"{host.id}{name}{restarts}".encode())  # noqa: S324  (any 32 digits)
    return {
        "state": state,
        "sub": sub,
        "invocation": invocation.hexdigest(),
        "active_seconds": since,
        "restarts": restarts,
    }


def _starts(way: Behaviour, name: str, up: float, lasting: float) -> tuple[int, float]:
    """How often that unit was started again, and for how long it has been active since."""
    if way is (Behaviour.AGENT_DIES if name == _AGENT else Behaviour.BOT_DIES):
        return int(up // lasting), up % lasting
    if way is Behaviour.AGENT_DIES_ONCE and name == _AGENT and up >= lasting:
        return 1, up - lasting
    return 0, up


def take_place() -> None:
    """Put this class in the place of moto's, as `host_lifecycle` does."""
    models.Command = ServiceCheck  # type: ignore[misc, assignment]  # its name is moto's to give
