"""The launches that a plan would make: the machine of each host, as the engine asks for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows.fleet_deploy.change import host_address, keyed_address
from workflows.fleet_deploy.stopped import Stopped

_PROFILE = "aws_iam_instance_profile.instance"
_NETWORK = ("subnet_id", "vpc_security_group_ids")


class _Disk(BaseModel):
    volume_size: int | None = None
    encrypted: bool | None = None


class _Host(BaseModel):
    """As a plan shows it, as far as it is known before the apply."""

    ami: str
    instance_type: str
    subnet_id: str | None = None
    vpc_security_group_ids: tuple[str, ...] | None = None
    root_block_device: tuple[_Disk, ...] = ()
    tags_all: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Launch:
    """One host that is to be made.

    Attributes:
        id: the instance.
        replaces: the machine that goes before, or empty.
        subnet: empty where the plan names none.
        disk: gigabytes of its root disk; None where it has the image's own size.
        profile: the name of its instance profile; empty where that is made with it.
        placed: False where the network is made with it, so that nobody can say where it will lie.
    """

    id: str
    image: str
    type: str
    replaces: str
    subnet: str
    groups: tuple[str, ...]
    disk: int | None
    encrypted: bool
    profile: str
    tags: Mapping[str, str]
    placed: bool


def launches(plan: Any, ids: Iterable[str]) -> tuple[Launch, ...]:
    """Of each of these hosts, which the guard has seen in this plan."""
    changes = {one["address"]: one["change"] for one in plan["resource_changes"]}
    return tuple(_launch(id_, changes) for id_ in ids)


def _launch(id_: str, changes: Mapping[str, Any]) -> Launch:
    change = changes[host_address(id_)]
    try:
        after = _Host.model_validate(change["after"])
    except ValidationError as error:
        why = f"OpenTofu's plan does not say what it would launch for {id_}."
        raise Stopped("OpenTofu failed", why) from error
    unknown = change.get("after_unknown") or {}
    disk = after.root_block_device[0] if after.root_block_device else _Disk()
    profile = changes.get(keyed_address(_PROFILE, id_)) or {}
    return Launch(
        id=id_,
        image=after.ami,
        type=after.instance_type,
        replaces=(change.get("before") or {}).get("id", ""),
        subnet=after.subnet_id or "",
        groups=after.vpc_security_group_ids or (),
        disk=disk.volume_size,
        encrypted=bool(disk.encrypted),
        profile=(profile.get("before") or {}).get("name", ""),
        tags=after.tags_all,
        # What shows only once the plan is applied: all of it, or a part.
        placed=not any(
            unknown.get(name) is True or True in (unknown.get(name) or ()) for name in _NETWORK
        ),
    )
