"""The attributes of a host and of its network in a plan, as tofu/fleet has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tofu import TofuError
from workflows.fleet_deploy import user_data

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_APP = {"app": "clawdinator"}
_RANGE = "10.78.0.0/22"


@dataclass(frozen=True, slots=True)
class Network:
    """The account's default network, which stands for the fleet's."""

    vpc: str
    subnet: str
    group: str


def network(ec2: "EC2Client") -> Network:
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])[
        "Subnets"
    ][0]
    vpc = subnet["VpcId"]
    group = ec2.describe_security_groups(
        Filters=[
            {"Name": "group-name", "Values": ["default"]},
            {"Name": "vpc-id", "Values": [vpc]},
        ]
    )["SecurityGroups"][0]
    return Network(vpc, subnet["SubnetId"], group["GroupId"])


def of_network(there: Network) -> dict[str, dict[str, Any]]:
    """The attributes of the network's resources, by address."""
    return {
        "aws_vpc.fleet": {
            "id": there.vpc,
            "cidr_block": _RANGE,
            "enable_dns_hostnames": True,
            "enable_dns_support": True,
            "instance_tenancy": "default",
            "tags_all": _APP,
        },
        "aws_subnet.fleet": {
            "id": there.subnet,
            "vpc_id": there.vpc,
            "cidr_block": _RANGE,
            "map_public_ip_on_launch": True,
            "tags_all": _APP,
        },
        "aws_security_group.fleet": {
            "id": there.group,
            "vpc_id": there.vpc,
            "name": "clawdinator-fleet",
            "description": "Outwards only",
            "egress": [
                {
                    "description": "Chat platforms, AWS, Git, caches",
                    "protocol": "-1",
                    "cidr_blocks": ["0.0.0.0/0"],
                }
            ],
            "tags_all": _APP,
        },
    }


@dataclass(frozen=True, slots=True)
class Setting:
    """What hosts are made with.

    Attributes:
        registry: the entries by id.
        template: of the user data.
        variables: as the environment has them.
    """

    registry: Mapping[str, Mapping[str, str]]
    template: str
    variables: Mapping[str, str]
    network: Network

    @property
    def revision(self) -> str:
        """The revision of hosts that are made."""
        return self.variables.get("TF_VAR_revision", "")

    def of_host(self, name: str, revision: str) -> dict[str, Any]:
        """A host's attributes beside its image and type; none where it has no entry."""
        entry = self.registry.get(name)
        if entry is None:
            return {}
        tags = {"Name": name, **({"revision": revision} if revision else {})}
        return {
            "iam_instance_profile": f"{name}-host",
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
                    "volume_size": 60,
                    "volume_type": "gp3",
                }
            ],
            "source_dest_check": True,
            "subnet_id": self.network.subnet,
            "vpc_security_group_ids": [self.network.group],
            "tags": tags,
            "tags_all": {**tags, **_APP},
            "user_data": user_data.digest(self.user_data(name)),
        }

    def user_data(self, name: str) -> str:
        """A host's user data."""
        entry = self.registry[name]
        told = ("region", "control_api_url", "revision", "seed_sha256")
        values = {
            "instance": name,
            "host": entry["host"],
            "bootstrap_prefix": entry["bootstrapPrefix"],
            **{one: self.variables.get(f"TF_VAR_{one}", "") for one in told},
        }
        try:
            return user_data.render(self.template, values)
        except user_data.Unrenderable as error:
            raise TofuError(f"The user data can't be made: {error}") from error
