"""Plans as `tofu show -json` writes them, made by hand."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.workflows.fleets import registry
from workflows.fleet_deploy.expectation import AwsAccount, Expectation
from workflows.fleet_deploy.guard import Machines

NEW = "ami-0000000000000aaa0"
OLD = "ami-0000000000000bbb0"
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"
MACHINES = {ONE: "i-00000001", TWO: "i-00000002", GONE: "i-00000009"}
SEEN = Machines({machine: id_ for id_, machine in MACHINES.items()}, frozenset(MACHINES))

HOST = "aws_instance.clawdinator"
ROLE = "aws_iam_role.instance"
PROFILE = "aws_iam_instance_profile.instance"
POLICY = "aws_iam_role_policy.instance"
VPC = "aws_vpc.fleet"
GATEWAY = "aws_internet_gateway.fleet"
SUBNET = "aws_subnet.fleet"
ROUTES = "aws_route_table.fleet"
ROUTED = "aws_route_table_association.fleet"
GROUP = "aws_security_group.fleet"
IDS = {
    VPC: "vpc-00000001",
    GATEWAY: "igw-00000001",
    SUBNET: "subnet-00000001",
    ROUTES: "rtb-00000001",
    ROUTED: "rtbassoc-00000001",
    GROUP: "sg-00000001",
}
OWN_TYPE = "t3.large"
AWS = "registry.example/hashicorp/aws"
ACCOUNT = "123456789012"
BUCKET = "clawdinator-bootstrap"
REGION = "eu-central-1"
URL = "https://control-api.example/"
REVISION, SEED = "0123456789abcdef0123456789abcdef01234567", "5eed" * 16
FLEET = Path(__file__).parents[2] / "tofu/fleet"
TEMPLATE = (FLEET / "user-data.sh.tftpl").read_text()
EXPECTATION = Expectation(
    registry((ONE, TWO, THREE, "clawdinator-4")),
    AwsAccount("aws", ACCOUNT),
    BUCKET,
    "10.78.0.0/22",
    60,
    TEMPLATE,
    {"region": REGION, "control_api_url": URL, "revision": REVISION, "seed_sha256": SEED},
    REVISION,
)


def plan(*changes: object, **more: object) -> dict[str, Any]:
    """These changes; what all hosts share stays as it is, unless one of them is of it."""
    told = [one.get("address") for one in changes if isinstance(one, dict)]
    rest = [shared(address, "no-op") for address in IDS if address not in told]
    return {
        "format_version": "1.2",
        "resource_changes": [*changes, *rest],
        "errored": False,
        "configuration": CONFIGURATION,
        **more,
    }


def _refers(*references: str) -> dict[str, list[str]]:
    return {"references": [*references]}


def _to(address: str) -> dict[str, list[str]]:
    return _refers(f"{address}.id", address)


# As the engine shows what its files set: constants are left out here.
SETTINGS: dict[str, dict[str, object]] = {
    HOST: {
        "ami": _refers("var.ami"),
        "instance_type": _refers("each.value.instanceType", "each.value"),
        "subnet_id": _to(SUBNET),
        "vpc_security_group_ids": _to(GROUP),
        "iam_instance_profile": _refers(PROFILE, "each.key"),
        "user_data": _refers("path.module", "each.key"),
        "metadata_options": [{"http_endpoint": {}, "http_tokens": {}}],
        "root_block_device": [{"encrypted": {}, "volume_size": {}, "volume_type": {}}],
        "tags": _refers("each.key"),
    },
    ROLE: {"name": {}, "path": {}, "assume_role_policy": {}, "permissions_boundary": {}},
    PROFILE: {"name": {}, "path": {}, "role": _refers(ROLE, "each.key")},
    POLICY: {
        "name": {},
        "policy": _refers("data.aws_iam_policy_document.instance", "each.key"),
        "role": _refers(ROLE, "each.key"),
    },
    VPC: {"cidr_block": {}, "enable_dns_hostnames": {}},
    GATEWAY: {"vpc_id": _to(VPC)},
    SUBNET: {"vpc_id": _to(VPC), "cidr_block": {}, "map_public_ip_on_launch": {}},
    ROUTES: {"vpc_id": _to(VPC), "route": _to(GATEWAY)},
    ROUTED: {"subnet_id": _to(SUBNET), "route_table_id": _to(ROUTES)},
    GROUP: {"name": {}, "description": {}, "vpc_id": _to(VPC), "egress": {}},
}
CONFIGURATION = {
    "root_module": {
        "resources": [
            {"address": address, "expressions": settings} for address, settings in SETTINGS.items()
        ]
    }
}


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


MESSAGES = [
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
]


def rights(id_: str) -> list[dict[str, Any]]:
    """The statements of a host's own policy."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    return [
        {
            "Sid": "OwnBootstrapObjects",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"{bucket}/bootstrap/{id_}/*",
        },
        {
            "Sid": "Seeds",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"{bucket}/seeds/*",
        },
        {
            "Sid": "OwnBootstrapListing",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket,
            "Condition": {"StringLike": {"s3:prefix": f"bootstrap/{id_}/*"}},
        },
        # In the provider's order.
        {
            "Sid": "SsmAgentMessages",
            "Effect": "Allow",
            "Action": MESSAGES[::-1],
            "Resource": "*",
        },
    ]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


# The user data of each digest that a plan shows.
TOLD: dict[str, str] = {}


def told(id_: str, host: str = "") -> str:
    """A host's user data, as a plan shows it; `host` where it is not named as the instance."""
    text = TEMPLATE
    for name, value in {
        "instance": id_,
        "host": host or id_,
        "region": REGION,
        "bootstrap_prefix": f"bootstrap/{host or id_}",
        "control_api_url": URL,
        "revision": REVISION,
        "seed_sha256": SEED,
    }.items():
        text = text.replace(f"${{{name}}}", value)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    TOLD[digest] = text
    return digest


METADATA: dict[str, Any] = {
    "http_endpoint": "enabled",
    "http_protocol_ipv6": "disabled",
    "http_put_response_hop_limit": 1,
    "http_tokens": "required",
}
DISK: dict[str, Any] = {
    "delete_on_termination": True,
    "encrypted": True,
    "tags": None,
    "volume_size": 60,
    "volume_type": "gp3",
}
EGRESS: dict[str, Any] = {
    "cidr_blocks": ["0.0.0.0/0"],
    "description": "Chat platforms, AWS, Git, caches",
    "from_port": 0,
    "ipv6_cidr_blocks": [],
    "prefix_list_ids": [],
    "protocol": "-1",
    "security_groups": [],
    "self": False,
    "to_port": 0,
}
ROUTE: dict[str, Any] = {
    "cidr_block": "0.0.0.0/0",
    "gateway_id": IDS[GATEWAY],
    "nat_gateway_id": "",
    "vpc_peering_connection_id": None,
}


def own(resource: str, id_: str, **instead: object) -> dict[str, Any]:
    """What tofu/fleet gives it, as the engine shows that; `instead` replaces some of it."""
    name = {"name": f"{id_}-host", "path": f"/fleet/host/{id_}/"}
    app = {"app": "clawdinator"}
    of: dict[str, dict[str, Any]] = {
        HOST: {
            "ami": NEW,
            "credit_specification": [],
            "get_password_data": False,
            "hibernation": None,
            "instance_type": OWN_TYPE,
            "launch_template": [],
            "tags": {"Name": id_, "revision": REVISION},
            "tags_all": {"Name": id_, "revision": REVISION, **app},
            "iam_instance_profile": f"{id_}-host",
            "metadata_options": [METADATA],
            "root_block_device": [DISK],
            "source_dest_check": True,
            "subnet_id": IDS[SUBNET],
            "timeouts": None,
            "user_data": told(id_),
            "user_data_replace_on_change": False,
            "volume_tags": None,
            "vpc_security_group_ids": [IDS[GROUP]],
        },
        ROLE: {
            **name,
            "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/fleet/control/clawdinator-host",
            "assume_role_policy": TRUST,
            "description": None,
            "force_detach_policies": False,
            "max_session_duration": 3600,
            "tags": None,
            "tags_all": app,
        },
        PROFILE: {**name, "role": f"{id_}-host", "tags": None, "tags_all": app},
        POLICY: {
            "name": "own-bootstrap-and-ssm-messages",
            "policy": policy(*rights(id_)),
            "role": f"{id_}-host",
        },
        VPC: {
            "cidr_block": "10.78.0.0/22",
            "enable_dns_hostnames": True,
            "enable_dns_support": True,
            "instance_tenancy": "default",
            "main_route_table_id": "rtb-00000009",
            "tags_all": app,
        },
        GATEWAY: {"vpc_id": IDS[VPC], "tags_all": app},
        SUBNET: {
            "availability_zone": "eu-central-1b",
            "cidr_block": "10.78.0.0/22",
            "map_public_ip_on_launch": True,
            "vpc_id": IDS[VPC],
            "tags_all": app,
        },
        ROUTES: {
            "propagating_vgws": [],
            "route": [ROUTE],
            "vpc_id": IDS[VPC],
            "tags_all": app,
        },
        ROUTED: {"gateway_id": "", "subnet_id": IDS[SUBNET], "route_table_id": IDS[ROUTES]},
        GROUP: {
            "name": "clawdinator-fleet",
            "description": "Outwards only",
            "egress": [EGRESS],
            "ingress": [],
            "revoke_rules_on_delete": False,
            "vpc_id": IDS[VPC],
            "tags_all": app,
        },
    }
    return {**of.get(resource, {}), **instead}


def shared(address: str, *actions: str, **instead: object) -> dict[str, Any]:
    """A change of what all hosts share; `instead` is what it says afterwards of some of it."""
    there = {**own(address, ""), "id": IDS[address]}
    stays = {**there, **instead}
    if actions == ("create",):
        return change(address, *actions, after=own(address, "", **instead))
    return change(address, *actions, before=stays if actions == ("no-op",) else there, after=stays)


def without(resource: str, id_: str, *late: str) -> dict[str, Any]:
    return {key: value for key, value in own(resource, id_).items() if key not in late}


def late(address: str, **unknown: object) -> dict[str, Any]:
    """Of what all hosts share, one that is made, with what shows only once the others are."""
    return change(address, "create", after=without(address, "", *unknown), after_unknown=unknown)


def _old_id(resource: str, id_: str) -> str:
    if resource == HOST:
        return MACHINES.get(id_, "i-0000dead")
    return f"{id_}-host:own-bootstrap-and-ssm-messages" if resource == POLICY else f"{id_}-host"


# Some of it, of a host that is to be made.
LEFT_TO_AWS = {
    "key_name": True,
    "network_interface": True,
    "user_data_base64": True,
    "metadata_options": [{"instance_metadata_tags": True}],
    "root_block_device": [{"kms_key_id": True, "iops": True}],
    "tags": {},
    "vpc_security_group_ids": [False],
}


def host(id_: str, *actions: str, image: str = NEW, **more: Any) -> dict[str, Any]:
    """A host's change, with the machine that EC2 shows and the image that was asked for."""
    if {"create", "update"} & {*actions}:
        more.setdefault("after", own(HOST, id_, ami=image))
        more.setdefault("after_unknown", LEFT_TO_AWS)
    return keyed(HOST, id_, *actions, **more)


def replaced(id_: str, **more: Any) -> dict[str, Any]:
    return host(id_, "delete", "create", **more)
