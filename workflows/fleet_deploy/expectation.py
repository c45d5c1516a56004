"""The values that every resource of tofu/fleet should have, for the guard to compare a plan with.

Said here a second time, on purpose: a plan is held against this, and not against the files that it
was made from. What is not named here is AWS's to choose, and nobody else's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet_control.registry import Instance, Registry
from fleet_control.seed import FOLDER
from workflows.fleet_deploy import change, hcl, user_data
from workflows.fleet_deploy.change import ResourceChange, keyed_address
from workflows.fleet_deploy.difference import KnownAfterApply, Named, Policy
from workflows.fleet_deploy.runner import needed
from workflows.fleet_deploy.stopped import Stopped

TEMPLATE, VARIABLES = "user-data.sh.tftpl", "variables.tf"
_APP = {"app": "clawdinator"}
_ANYWHERE = "0.0.0.0/0"
_OWN_POLICY = "own-bootstrap-and-ssm-messages"
_VERSION = "2012-10-17"
_TO_EC2 = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "ec2.amazonaws.com"},
}
_MESSAGES = (
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
)


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """The account that a job's keys are of.

    Attributes:
        partition: `aws`, or that of another of its worlds.
    """

    partition: str
    account: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """The values that tofu/fleet is told in this run.

    Attributes:
        bucket: where the bundles lie.
        network: the address range of the only subnet.
        disk: gigabytes of a host's disk.
        template: of the user data.
        told: what every host is told there, by the template's names.
        revision: what hosts are tagged with.
    """

    registry: Registry
    owner: AwsAccount
    bucket: str
    network: str
    disk: int
    template: str
    told: Mapping[str, str]
    revision: str

    def of(
        self, one: ResourceChange, ids: Mapping[str, str], image: str = ""
    ) -> Mapping[str, object]:
        """The values that this resource's attributes should have; empty for a resource of no fleet.

        `ids` are those of what is there already, by address; `image` is what a host boots.
        """
        id_ = str(one.index)
        entry = self.registry.get(id_)
        if entry is None:
            return self._shared(ids).get(one.resource, {})
        match one.resource:
            case change.HOST:
                return {"ami": image, **_placed(ids), **self._host(id_, entry)}
            case change.ROLE:
                return self._role(id_)
            case change.PROFILE:
                return {**_named(id_), "role": f"{id_}-host", "tags_all": _APP}
            case change.POLICY:
                return self._policy(id_, entry)
        return {}

    def user_data(self, id_: str, entry: Instance) -> str:
        """What that instance's host is told; user_data.Unrenderable."""
        own = {"instance": id_, "host": entry.host, "bootstrap_prefix": entry.bootstrap_prefix}
        return user_data.render(self.template, {**own, **self.told})

    def _host(self, id_: str, entry: Instance) -> dict[str, object]:
        tags = {"Name": id_, "revision": self.revision}
        return {
            "instance_type": entry.instance_type,
            "iam_instance_profile": f"{id_}-host",
            "user_data": user_data.digest(self.user_data(id_, entry)),
            "metadata_options": [
                {
                    "http_endpoint": "enabled",
                    "http_protocol_ipv6": "disabled",
                    "http_put_response_hop_limit": 1,
                    "http_tokens": "required",
                }
            ],
            "root_block_device": [
                {
                    "delete_on_termination": True,
                    "encrypted": True,
                    "volume_size": self.disk,
                    "volume_type": "gp3",
                }
            ],
            "source_dest_check": True,
            "tags": tags,
            "tags_all": {**tags, **_APP},
        }

    def _role(self, id_: str) -> dict[str, object]:
        place = f"arn:{self.owner.partition}:iam::{self.owner.account}"
        return {
            **_named(id_),
            "permissions_boundary": f"{place}:policy/fleet/control/clawdinator-host",
            "assume_role_policy": Policy({"Version": _VERSION, "Statement": _TO_EC2}),
            "max_session_duration": 3600,
            "managed_policy_arns": [],
            "inline_policy": Named(_OWN_POLICY),
            "tags_all": _APP,
        }

    def _policy(self, id_: str, entry: Instance) -> dict[str, object]:
        bundles = f"arn:{self.owner.partition}:s3:::{self.bucket}"
        own = f"{entry.bootstrap_prefix}/*"
        listing = {"Condition": {"StringLike": {"s3:prefix": own}}}
        statements = [
            _allowed("OwnBootstrapObjects", "s3:GetObject", f"{bundles}/{own}"),
            _allowed("Seeds", "s3:GetObject", f"{bundles}/{FOLDER}/*"),
            _allowed("OwnBootstrapListing", "s3:ListBucket", bundles) | listing,
            _allowed("SsmAgentMessages", _MESSAGES, "*"),
        ]
        role = keyed_address(change.ROLE, id_)
        return {
            "name": _OWN_POLICY,
            "role": KnownAfterApply(f"{id_}-host", role, (change.ROLE, "each.key")),
            "policy": Policy({"Version": _VERSION, "Statement": statements}),
        }

    def _shared(self, ids: Mapping[str, str]) -> dict[str, dict[str, object]]:
        vpc = {"vpc_id": _id(change.VPC, ids)}
        range_ = {"cidr_block": self.network, "tags_all": _APP}
        outwards = {"cidr_block": _ANYWHERE, "gateway_id": _id(change.GATEWAY, ids)}
        return {
            change.VPC: {
                **range_,
                "enable_dns_hostnames": True,
                "enable_dns_support": True,
                "instance_tenancy": "default",
            },
            change.GATEWAY: {**vpc, "tags_all": _APP},
            change.SUBNET: {**vpc, **range_, "map_public_ip_on_launch": True},
            change.ROUTES: {
                **vpc,
                "route": [outwards],
                "propagating_vgws": [],
                "tags_all": _APP,
            },
            change.ROUTED: {
                "subnet_id": _id(change.SUBNET, ids),
                "route_table_id": _id(change.ROUTES, ids),
                "gateway_id": "",
            },
            change.GROUP: {**vpc, **_OUTWARDS_ONLY},
        }


_OUTWARDS_ONLY = {
    "name": "clawdinator-fleet",
    "description": "Outwards only",
    "egress": [
        {
            "description": "Chat platforms, AWS, Git, caches",
            "from_port": 0,
            "to_port": 0,
            "protocol": "-1",
            "cidr_blocks": [_ANYWHERE],
        }
    ],
    "ingress": [],
    "tags_all": _APP,
}


def _named(id_: str) -> dict[str, object]:
    return {"name": f"{id_}-host", "path": f"/fleet/host/{id_}/"}


def _allowed(sid: str, actions: object, resource: str) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _id(address: str, ids: Mapping[str, str]) -> KnownAfterApply:
    return KnownAfterApply(ids.get(address), address, (f"{address}.id", address))


def _placed(ids: Mapping[str, str]) -> dict[str, object]:
    group = ids.get(change.GROUP)
    references = (f"{change.GROUP}.id", change.GROUP)
    groups = KnownAfterApply([group] if group else None, change.GROUP, references)
    return {"subnet_id": _id(change.SUBNET, ids), "vpc_security_group_ids": groups}


def read(
    environ: Mapping[str, str], folder: Path, registry: Registry, owner: AwsAccount
) -> Expectation:
    """The expectation of tofu/fleet in that folder, under the engine's environment; Stopped
    where that can't be known."""
    names = ("bootstrap_bucket", "region", "control_api_url", "revision", "seed_sha256")
    bucket, *values = needed(environ, *(f"TF_VAR_{name}" for name in names))
    told = dict(zip(names[1:], values, strict=True))
    try:
        template = (folder / TEMPLATE).read_bytes().decode()
        variables = hcl.read((folder / VARIABLES).read_bytes().decode())
        made = Expectation(
            registry,
            owner,
            bucket,
            _variable("network", environ, variables),
            int(_variable("root_gigabytes", environ, variables)),
            template,
            told,
            told["revision"],
        )
        for id_, entry in registry.items():
            made.user_data(id_, entry)
    except (OSError, ValueError) as error:
        why = f"What tofu/fleet makes of a host can't be told: {error}."
        raise Stopped("Guarded", why) from error
    return made


def _variable(name: str, environ: Mapping[str, str], variables: hcl.Block) -> str:
    """As the environment has it, or its default; ValueError."""
    if said := environ.get(f"TF_VAR_{name}"):
        return said
    for block in variables.blocks:
        if block.header == f"variable {name}" and "default" in block.attributes:
            return "".join(block.attributes["default"]).strip('"')
    raise ValueError(f"`{name}` has no default")
