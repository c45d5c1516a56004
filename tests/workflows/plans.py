"""Plans as `tofu show -json` writes them, made by hand."""

from typing import Any

from workflows.fleet_deploy.guard import Machines

NEW = "ami-0000000000000aaa0"
OLD = "ami-0000000000000bbb0"
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"
REGISTERED = (ONE, TWO, THREE)
MACHINES = {ONE: "i-00000001", TWO: "i-00000002", GONE: "i-00000009"}
SEEN = Machines({machine: id_ for id_, machine in MACHINES.items()}, frozenset(MACHINES))

HOST = "aws_instance.clawdinator"
ROLE = "aws_iam_role.instance"
PROFILE = "aws_iam_instance_profile.instance"
POLICY = "aws_iam_role_policy.instance"
GROUP = "aws_security_group.fleet"
OWN_TYPE = "t3.large"
AWS = "registry.example/hashicorp/aws"


def plan(*changes: object, **more: object) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes), "errored": False, **more}


def change(
    address: str,
    *actions: str,
    index: str | int | None = None,
    before: object = None,
    after: object = None,
    after_unknown: object = None,
    **more: object,
) -> dict[str, Any]:
    """A change; its type and name are read off the address, unless `more` says otherwise."""
    bare = address.split("[", maxsplit=1)[0].split(".")
    if bare[:1] == ["module"]:
        more.setdefault("module_address", ".".join(bare[:2]))
        bare = bare[2:]
    mode = "data" if bare[:1] == ["data"] else "managed"
    type_, name = bare[-2:]
    shape: dict[str, Any] = {
        "address": address,
        "mode": mode,
        "type": type_,
        "name": name,
        "provider_name": AWS,
        "change": {
            "actions": list(actions),
            "before": before,
            "after": after,
            "after_unknown": after_unknown or {},
        },
        **more,
    }
    if index is not None:
        shape["index"] = index
    return shape


def keyed(resource: str, id_: str, *actions: str, **more: Any) -> dict[str, Any]:
    """A change of what is keyed by an instance, and is that instance's own."""
    if {"update", "delete", "no-op"} & {*actions}:
        more.setdefault("before", {**own(resource, id_), "id": _old_id(resource, id_)})
    if {"create", "update", "no-op"} & {*actions}:
        more.setdefault("after", own(resource, id_))
    return change(f'{resource}["{id_}"]', *actions, index=id_, **more)


# As `jsonencode` spells what tofu/fleet says.
TRUST = (
    '{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow",'
    '"Principal":{"Service":"ec2.amazonaws.com"}}],"Version":"2012-10-17"}'
)


def own(resource: str, id_: str, **instead: object) -> dict[str, Any]:
    """What tofu/fleet gives it, as the engine shows that; `instead` replaces some of it."""
    name = {"name": f"{id_}-host", "path": f"/fleet/host/{id_}/"}
    boundary = "arn:aws:iam::123456789012:policy/fleet/control/clawdinator-host"
    of: dict[str, dict[str, Any]] = {
        HOST: {
            "ami": NEW,
            "instance_type": OWN_TYPE,
            "tags": {"Name": id_},
            "tags_all": {"Name": id_, "app": "clawdinator"},
            "iam_instance_profile": f"{id_}-host",
            "metadata_options": [{"http_endpoint": "enabled", "http_tokens": "required"}],
        },
        ROLE: {**name, "permissions_boundary": boundary, "assume_role_policy": TRUST},
        PROFILE: {**name, "role": f"{id_}-host"},
        POLICY: {"name": "own-bootstrap-and-ssm-messages", "role": f"{id_}-host"},
    }
    return {**of.get(resource, {}), **instead}


def _old_id(resource: str, id_: str) -> str:
    if resource == HOST:
        return MACHINES.get(id_, "i-0000dead")
    return f"{id_}-host:own-bootstrap-and-ssm-messages" if resource == POLICY else f"{id_}-host"


def host(id_: str, *actions: str, image: str = NEW, **more: Any) -> dict[str, Any]:
    """A host's change, with the machine that EC2 shows and the image that was asked for."""
    if {"create", "update"} & {*actions}:
        more.setdefault("after", own(HOST, id_, ami=image))
    return keyed(HOST, id_, *actions, **more)


def replaced(id_: str, **more: Any) -> dict[str, Any]:
    return host(id_, "delete", "create", **more)
