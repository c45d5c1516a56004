"""The hosts, through EC2's API; waits as the AWS provider does."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sandbox.tofu import mark
from sandbox.tofu.failure import Failed
from sandbox.tofu.plan import Host

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

POLL_SECONDS = 0.5
_CREATE_SECONDS = 600.0
_DELETE_SECONDS = 1200.0
# What is on its way out has left the state.
_IN_STATE = ["pending", "running", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class Fleet:
    """
    Attributes:
        stop: set when the command is interrupted; every wait ends then.
    """

    ec2: "EC2Client"
    stop: threading.Event

    def hosts(self) -> Mapping[str, Host]:
        """What an engine made, by name; of two that share one, the younger."""
        pages = self.ec2.get_paginator("describe_instances").paginate(
            Filters=[
                {"Name": "tag:app", "Values": ["clawdinator"]},
                {"Name": f"tag:{mark.KEY}", "Values": [mark.VALUE]},
                {"Name": "instance-state-name", "Values": _IN_STATE},
            ],
            PaginationConfig={"PageSize": 1000},
        )
        found = [
            host
            for page in pages
            for reservation in page["Reservations"]
            for host in reservation["Instances"]
        ]
        found.sort(key=lambda one: (one["LaunchTime"], one["InstanceId"]))
        return {_name(one): _host(one) for one in found if _name(one)}

    def launch(self, name: str, host: Host) -> str:
        """A host's id, once it runs."""
        answer = self.ec2.run_instances(
            ImageId=host.image,
            InstanceType=host.type,  # type: ignore[arg-type]  # the registry's word for it
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [
                        {"Key": "app", "Value": "clawdinator"},
                        {"Key": "Name", "Value": name},
                        {"Key": mark.KEY, "Value": mark.VALUE},
                    ],
                }
            ],
        )
        id_ = answer["Instances"][0]["InstanceId"]
        self._wait(id_, "running", ("pending", ""), _CREATE_SECONDS)
        return id_

    def terminate(self, id_: str) -> None:
        """Return once it is gone."""
        try:
            self.ec2.terminate_instances(InstanceIds=[id_])
        except ClientError as error:
            if not _is_missing(error):
                raise
        self._wait(id_, "terminated", (*_IN_STATE, "shutting-down"), _DELETE_SECONDS)

    def _wait(self, id_: str, wanted: str, before: tuple[str, ...], seconds: float) -> None:
        """`before` are the states that may still come to what is wanted."""
        until = time.monotonic() + seconds
        while (state := self._state(id_)) != wanted:
            if state == "" and wanted == "terminated":
                return
            if state not in before:
                raise Failed(
                    f"waiting for EC2 Instance ({id_}): unexpected state '{state}', "
                    f"wanted target '{wanted}'"
                )
            if time.monotonic() > until:
                raise Failed(f"waiting for EC2 Instance ({id_}): timeout, it is '{state}'")
            if self.stop.wait(POLL_SECONDS):
                raise Failed("operation canceled", f"{id_} is {state}, and was left so.")

    def _state(self, id_: str) -> str:
        """Empty where EC2 does not show it (not yet, or no longer)."""
        try:
            answer = self.ec2.describe_instances(InstanceIds=[id_])
        except ClientError as error:
            if _is_missing(error):
                return ""
            raise
        hosts = [host for one in answer["Reservations"] for host in one["Instances"]]
        return str(hosts[0]["State"]["Name"]) if hosts else ""


def _is_missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "InvalidInstanceID.NotFound"


def _host(raw: "InstanceTypeDef") -> Host:
    return Host(raw["InstanceId"], raw["ImageId"], raw["InstanceType"])


def _name(raw: "InstanceTypeDef") -> str:
    return next((tag["Value"] for tag in raw.get("Tags", ()) if tag["Key"] == "Name"), "")
