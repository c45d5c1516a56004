"""Read the hosts through EC2's API, and create and terminate them as a plan says."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandbox.tofu.plan import HostPlan, PlannedChange, TofuHost

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

# As many resources as OpenTofu walks at once.
_AT_ONCE = 10
_PACE = {"Delay": 0.5, "MaxAttempts": 1200}
# What is on its way out has left the state.
_IN_STATE = ["pending", "running", "stopping", "stopped"]


def hosts(ec2: "EC2Client", known: Mapping[str, str]) -> dict[str, TofuHost]:
    """The known machines that EC2 shows, by name."""
    if not known:
        return {}
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": "instance-id", "Values": list(known.values())},
            {"Name": "instance-state-name", "Values": _IN_STATE},
        ],
        PaginationConfig={"PageSize": 1000},
    )
    shown = {
        raw["InstanceId"]: _host(raw)
        for page in pages
        for reservation in page["Reservations"]
        for raw in reservation["Instances"]
    }
    return {name: shown[machine] for name, machine in known.items() if machine in shown}


def apply(
    plan: HostPlan, ec2: "EC2Client", machines: dict[str, str], say: Callable[[str], None]
) -> None:
    """Move what is to be moved, and keep `machines`, the state's; where one can't be, the others
    are."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        walks = [pool.submit(_move, change, plan, ec2, machines, say) for change in plan.moves]
    for walk in walks:
        walk.result()
    said = f"{plan.added} added, 0 changed, {plan.destroyed} destroyed"
    say(f"\nApply complete! Resources: {said}.")


def _move(
    change: PlannedChange,
    plan: HostPlan,
    ec2: "EC2Client",
    machines: dict[str, str],
    say: Callable[[str], None],
) -> None:
    """Replace a host, the old one first, as the plan has it."""
    if old := change.before:
        begun = time.monotonic()
        say(f"{change.address}: Destroying... [id={old.id}]")
        ec2.terminate_instances(InstanceIds=[old.id])
        _wait(ec2, "instance_terminated", old.id)
        del machines[change.name]
        say(f"{change.address}: Destruction complete after {_since(begun)}")
    if new := change.after:
        begun = time.monotonic()
        say(f"{change.address}: Creating...")
        told = plan.user_data[change.name]
        id_ = machines[change.name] = _launch(ec2, change.name, new, told)
        _wait(ec2, "instance_running", id_)
        say(f"{change.address}: Creation complete after {_since(begun)} [id={id_}]")


def _launch(ec2: "EC2Client", name: str, host: TofuHost, user_data: str) -> str:
    tags = {"app": "clawdinator", "Name": name}
    if host.revision:
        tags["revision"] = host.revision
    answer = ec2.run_instances(
        ImageId=host.image,
        InstanceType=host.type,  # type: ignore[arg-type]  # the registry's word for it
        MinCount=1,
        MaxCount=1,
        UserData=user_data,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )
    return answer["Instances"][0]["InstanceId"]


def _wait(ec2: "EC2Client", waiter: str, id_: str) -> None:
    ec2.get_waiter(waiter).wait(InstanceIds=[id_], WaiterConfig=_PACE)  # type: ignore[call-overload]  # one of two, and half a second


def _since(begun: float) -> str:
    return f"{round(time.monotonic() - begun)}s"


def _host(raw: "InstanceTypeDef") -> TofuHost:
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])}
    return TofuHost(
        raw["InstanceId"], raw["ImageId"], raw["InstanceType"], tags.get("revision", "")
    )
