"""What SSM says of a command sent to a host, in moto's process: each host says how it is.

moto's own commands succeed at once wherever they are sent, even where nothing is.
"""

import hashlib
import json
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ssm import models
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Command, ssm_backends

from sandbox.host_life import OK, Instance
from sandbox.host_rules import CRASHES_AFTER_SECONDS

_AGENT = "clawdinator.service"
_LAST_WORDS = "agent: no model answers\nMain process exited, code=exited, status=1/FAILURE"
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
        # There is an SSM agent on every host that runs.
        running = ec2_backends[account][region].all_running_instances()
        self._hosts: dict[str, Any] = {host.id: host for host in running}
        if deaf := ", ".join(id_ for id_ in ids if id_ not in self._hosts):
            raise SSMException(
                "InvalidInstanceId",
                f"Instances [[{deaf}]] not in a valid state for account {account}",
            )
        self._sent = Instance.rules.now()
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
            "StandardOutputContent": json.dumps(answer(self._hosts[instance_id])),
        }

    def get_invocation(self, instance_id: str, plugin_name: str | None) -> dict[str, Any]:
        answer = super().get_invocation(instance_id, plugin_name)
        if Instance.rules.now() < self._sent + Instance.rules.timing.answering:
            return {**answer, **_STILL_RUNNING}
        return answer


def answer(host: Any) -> dict[str, Any]:
    """What `clawdinator-health` prints there."""
    tags = {tag["key"]: tag["value"] for tag in host.get_tags()}
    up = max(0.0, host.age - host.rules.timing.pending)
    ends = CRASHES_AFTER_SECONDS if host.crashes else up + 1
    well = host.checks == OK
    agent = {
        "state": "active" if well else "activating",
        "sub": "running" if well else "start",
        "invocation": hashlib.md5(  # noqa: S324  (any 32 digits)
            f"{host.id}{up // ends}".encode()
        ).hexdigest(),
        "active_seconds": up % ends if well else 0,
        "restarts": int(up // ends),
    }
    return {
        "instance": tags.get("Name", ""),
        "revision": host.booted.revision or tags.get("revision", ""),
        "units": {_AGENT: agent},
        "journal": _LAST_WORDS if host.crashes else "",
    }


def take_place() -> None:
    """As in `host_life`."""
    models.Command = ServiceCheck  # type: ignore[misc, assignment]  # its name is moto's to give
