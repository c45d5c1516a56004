"""A host's lifecycle, in moto's process: pending, running, shutting down, terminated, over time.

moto's own instances are there at once and gone at once: of its configurable state transitions EC2
has none. So these classes take the places of moto's, and every answer is still moto's own.
"""

import base64
from copy import copy
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2 import urls
from moto.ec2.models import EC2Backend, ec2_backends, instances
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import InstanceState, Reservation
from moto.ec2.responses import general
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from sandbox.host_boot import BootResult, boot
from sandbox.host_rules import BOOTSTRAP_BUCKET, Behaviour, Rules

PENDING, RUNNING = "pending", "running"
SHUTTING_DOWN, TERMINATED = "shutting-down", "terminated"
_CODES = {PENDING: 0, RUNNING: 16, SHUTTING_DOWN: 32, TERMINATED: 48, "stopped": 80}
OK, INITIALIZING, IMPAIRED, NOT_APPLICABLE = "ok", "initializing", "impaired", "not-applicable"
_REACHABILITY = {OK: "passed", INITIALIZING: "initializing", IMPAIRED: "failed"}
# So long before it retires a machine EC2 says so.
_NOTICE_SECONDS = 14 * 86400.0
# For so long EC2 still shows what was terminated.
_SHOWN_AFTER_END_SECONDS = 3600.0


class HostInstance(instances.Instance):
    """An instance whose state follows from its age and its rules whenever it is read.

    Attributes:
        rules: how every host lives.
        well: whether it will become healthy.
        way: how its units live.
        ended: when it was terminated.
        booted: what its last boot came to.
        rebooted: when that was, where it was not its first.
    """

    rules: ClassVar[Rules] = Rules()
    well = True
    way = Behaviour.WELL
    ended: float | None = None
    booted = BootResult()
    rebooted = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.launched_at(self.rules.now())

    def launched_at(self, moment: float) -> None:
        self.launch_time = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)

    @property
    def age(self) -> float:
        return self.rules.now() - self.launch_time.replace(tzinfo=UTC).timestamp()

    @property
    def up(self) -> float:
        """For how many seconds its system has run since its last boot."""
        return max(0.0, min(self.age - self.rules.timing.pending, self.rules.now() - self.rebooted))

    @property
    def _state(self) -> InstanceState:
        """moto's own state, brought up to date: all that moto shows of a state comes from here."""
        timing = self.rules.timing
        if self.ended is not None:
            gone = self.rules.now() >= self.ended + timing.shutting_down
            self._kept.name = TERMINATED if gone else SHUTTING_DOWN
        elif self._kept.name in (PENDING, RUNNING):
            self._kept.name = PENDING if self.age < timing.pending else RUNNING
        self._kept.code = _CODES[self._kept.name]
        return self._kept

    @_state.setter
    def _state(self, state: InstanceState) -> None:
        self._kept = state

    @property
    def checks(self) -> str:
        """The status that EC2's instance status check has."""
        if not self.is_running():
            return NOT_APPLICABLE
        timing = self.rules.timing
        since = self.rules.now() - self.rebooted
        if self.age < timing.pending + timing.initializing or since < timing.initializing:
            return INITIALIZING
        return OK if self.well and not self.booted.trouble else IMPAIRED

    @property
    def instance_status(self) -> dict[str, Any]:
        return _status(self.checks)

    @property
    def system_status(self) -> dict[str, Any]:
        """Never impaired: it is the instance's own check that fails."""
        return _status(OK if self.checks == IMPAIRED else self.checks)

    @property
    def attached_ebs_status(self) -> dict[str, Any]:
        return _status(IMPAIRED if self.id in self.rules.without_disks else OK)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that EC2 has planned for it, and one that is over."""
        begins = self.rules.now() + _NOTICE_SECONDS
        shown = {"NotBefore": datetime.fromtimestamp(begins, UTC)}
        over = {"Code": "system-reboot", "Description": "[Completed] A new kernel", **shown}
        ends = {"Code": "instance-retirement", "Description": "Hardware that fails", **shown}
        return [over, ends] if self.id in self.rules.retiring else []

    @property
    def is_forgotten(self) -> bool:
        """Whether EC2 does not list it any more."""
        shown = self.rules.timing.shutting_down + _SHOWN_AFTER_END_SECONDS
        return self.ended is not None and self.rules.now() >= self.ended + shown

    def add_tags(self, tag_map: dict[str, str]) -> None:
        """Take on the behaviour that the rules have for its name, which moto tags at launch."""
        super().add_tags(tag_map)
        if "Name" in tag_map:
            self.well = tag_map["Name"] not in self.rules.unhealthy
            self.way = Behaviour(self.rules.ways.get(tag_map["Name"], Behaviour.WELL))
            self._boot()

    @property
    def console(self) -> str:
        """The last lines of its console."""
        lines = ["<<< NixOS Stage 2 >>>", "[   12.345678] systemd[1]: Started Amazon SSM Agent."]
        if self.booted.trouble:
            lines.append(f"[   20.012345] amazon-init: {self.booted.trouble}")
        elif not self.well:
            lines.append("[   20.012345] amazon-init: error: build of clawdinator.service failed")
        return "\n".join((*lines, f"{self.id} login: "))

    def _boot(self) -> None:
        self.booted = boot(self.user_data, self.booted, self._fetch)

    def _fetch(self, key: str) -> bytes | None:
        if self.rules.offline:
            return None
        try:
            found: Any = s3_backends[self.owner_id]["aws"].get_object(BOOTSTRAP_BUCKET, key)
        except MissingBucket:
            return None
        return bytes(found.value) if found else None

    def reboot(self) -> None:
        super().reboot()
        self.rebooted = self.rules.now()
        self._boot()

    def terminate(self) -> InstanceState:
        """Its state before; that it is shutting down now moto answers even of one long gone."""
        before = copy(self._state)
        if self.ended is None:
            self.ended = self.rules.now()
            super().terminate()
        return before

    def attach_eni(self, eni: NetworkInterface, device_index: int) -> str:
        """A host launched with an interface of its own is in that one's security groups.

        moto leaves the host's list empty, and OpenTofu's next plan would then change every host.
        """
        attachment = super().attach_eni(eni, device_index)
        if int(device_index) == 0 and not self.security_groups:
            self.security_groups = list(eni.group_set)
        return attachment


class Hosts(EC2Backend):
    """EC2 in one region."""

    # moto looks for its paths beside the class.
    _url_module = urls

    def all_reservations(self, filters: Any = None) -> list[Reservation]:
        """All hosts, without those that EC2 has forgotten."""
        found: list[Any] = super().all_reservations(filters)
        for reservation in found:
            reservation.instances = [one for one in reservation.instances if not one.is_forgotten]
        return [reservation for reservation in found if reservation.instances]


def _status(checks: str) -> dict[str, Any]:
    if checks not in _REACHABILITY:
        return {"Status": checks}
    details = [{"Name": "reachability", "Status": _REACHABILITY[checks]}]
    return {"Status": checks, "Details": details}


def _console_output(asked: general.General) -> ActionResult:
    """The host's own console output; moto's is the same for all."""
    host: Any = asked.ec2_backend.get_instance(asked._get_param("InstanceId"))  # noqa: SLF001  (moto's way)
    said = base64.b64encode(host.console.encode()).decode()
    return ActionResult({"InstanceId": host.id, "Timestamp": utcnow(), "Output": said})


def take_place() -> None:
    """Put these classes in the place of moto's, which looks them up when it makes a backend."""
    general.General.get_console_output = _console_output  # type: ignore[assignment,method-assign]  # the same
    HostInstance.__name__ = "Instance"  # moto finds what it writes of an InstanceId by this name
    instances.Instance = HostInstance  # type: ignore[misc]  # as said
    ec2_backends.backend = Hosts
