"""What SSM says of a command sent to a host, in moto's process: it succeeds on a healthy one.

moto's own commands succeed at once wherever they are sent, even where nothing is.
"""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ssm import models
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Command, ssm_backends

from sandbox.host_life import IMPAIRED, INITIALIZING, OK, Instance

# What `systemctl is-active` prints, and its exit code.
_SAID = {OK: ("active\n", 0), INITIALIZING: ("activating\n", 3), IMPAIRED: ("inactive\n", 3)}
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
        said, code = _SAID[self._hosts[instance_id].checks]
        status = "Failed" if code else "Success"
        return {
            **super().invocation_response(instance_id, plugin_name),
            "Status": status,
            "StatusDetails": status,
            "ResponseCode": code,
            "StandardOutputContent": said,
        }

    def get_invocation(self, instance_id: str, plugin_name: str | None) -> dict[str, Any]:
        answer = super().get_invocation(instance_id, plugin_name)
        if Instance.rules.now() < self._sent + Instance.rules.timing.answering:
            return {**answer, **_STILL_RUNNING}
        return answer


def take_place() -> None:
    """As in `host_life`."""
    models.Command = ServiceCheck  # type: ignore[misc, assignment]  # its name is moto's to give
