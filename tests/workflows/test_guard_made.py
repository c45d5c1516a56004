"""What a host is made of, and what it stands on, is what this repository makes; each by its value.

Everything else in these plans is as it should be: only the one thing is another.
"""

import json
from typing import Any

import pytest

from tests.workflows.plans import (
    ACCOUNT,
    BUCKET,
    DISK,
    EGRESS,
    EXPECTATION,
    GATEWAY,
    GROUP,
    HOST,
    IDS,
    LEFT_TO_AWS,
    METADATA,
    NEW,
    ONE,
    POLICY,
    PROFILE,
    ROLE,
    ROUTE,
    ROUTED,
    ROUTES,
    SEEN,
    SETTINGS,
    SUBNET,
    THREE,
    TRUST,
    TWO,
    VPC,
    host,
    keyed,
    late,
    own,
    plan,
    policy,
    replaced,
    rights,
    shared,
    told,
    without,
)
from workflows.fleet_deploy.guard import finished, rolled

BUNDLES = f"arn:aws:s3:::{BUCKET}"
BOUNDARY = "policy/fleet/control/clawdinator-host"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def of_two(*changes: dict[str, Any], **more: object) -> list[str]:
    """Why a plan for clawdinator-2's job is stopped."""
    return [one.why for one in rolled(plan(*changes, **more), [TWO], NEW, SEEN, EXPECTATION)]


# By the attribute that is named: what a host would be instead.
HOSTS: dict[str, dict[str, object]] = {
    "user_data is another's": {"user_data": told(ONE)},
    "user_data is none": {"user_data": None},
    "user_data_base64 is given": {"user_data_base64": "IyEvYmluL3No"},
    "instance_type is another": {"instance_type": "p5.48xlarge"},
    "subnet_id is another": {"subnet_id": "subnet-0000beef"},
    "vpc_security_group_ids is another": {"vpc_security_group_ids": ["sg-0000beef"]},
    "vpc_security_group_ids is one more": {"vpc_security_group_ids": [IDS[GROUP], "sg-0000beef"]},
    "vpc_security_group_ids is none": {"vpc_security_group_ids": []},
    "security_groups is given": {"security_groups": ["default"]},
    "key_name is given": {"key_name": "somebody"},
    "metadata_options.http_put_response_hop_limit is two": {
        "metadata_options": [{**METADATA, "http_put_response_hop_limit": 2}]
    },
    "metadata_options.http_protocol_ipv6 is on": {
        "metadata_options": [{**METADATA, "http_protocol_ipv6": "enabled"}]
    },
    "metadata_options.instance_metadata_tags is on": {
        "metadata_options": [{**METADATA, "instance_metadata_tags": "enabled"}]
    },
    "tags is one more": {"tags": {"Name": TWO, "team": "payroll"}},
    "tags_all is one more": {"tags_all": {"Name": TWO, "app": "clawdinator", "team": "payroll"}},
    "volume_tags is given": {"volume_tags": {"app": "payroll"}},
    "root_block_device.encrypted is false": {"root_block_device": [{**DISK, "encrypted": False}]},
    "root_block_device.volume_size is huge": {"root_block_device": [{**DISK, "volume_size": 9000}]},
    "root_block_device.volume_type is dear": {
        "root_block_device": [{**DISK, "volume_type": "io2"}]
    },
    "root_block_device.kms_key_id is somebody's": {
        "root_block_device": [{**DISK, "kms_key_id": "arn:aws:kms:x:1:key/y"}]
    },
    "root_block_device.delete_on_termination is false": {
        "root_block_device": [{**DISK, "delete_on_termination": False}]
    },
    "root_block_device is the image's": {"root_block_device": []},
    "ebs_block_device is one more disk": {"ebs_block_device": [{"snapshot_id": "snap-1"}]},
    "network_interface is one that exists": {
        "network_interface": [{"device_index": 0, "network_interface_id": "eni-1"}]
    },
    "associate_public_ip_address is given": {"associate_public_ip_address": True},
    "private_ip is given": {"private_ip": "10.78.0.5"},
    "secondary_private_ips is given": {"secondary_private_ips": ["10.78.0.6"]},
    "ipv6_address_count is given": {"ipv6_address_count": 1},
    "source_dest_check is off": {"source_dest_check": False},
    "launch_template is given": {"launch_template": [{"id": "lt-1", "version": "1"}]},
    "instance_market_options is given": {"instance_market_options": [{"market_type": "spot"}]},
    "tenancy is given": {"tenancy": "host"},
    "host_id is given": {"host_id": "h-1"},
    "placement_group is given": {"placement_group": "theirs"},
    "availability_zone is given": {"availability_zone": "eu-central-1a"},
    "credit_specification is given": {"credit_specification": [{"cpu_credits": "unlimited"}]},
    "get_password_data is asked": {"get_password_data": True},
    "disable_api_termination is on": {"disable_api_termination": True},
    "an_attribute_of_tomorrow is given": {"an_attribute_of_tomorrow": "x"},
}


@pytest.mark.parametrize(("what", "instead"), HOSTS.items(), ids=HOSTS)
def test_a_host_is_what_this_repository_makes(what: str, instead: dict[str, object]) -> None:
    (why,) = of_two(replaced(TWO, after=own(HOST, TWO, **instead), after_unknown={}))

    assert why.startswith(f"its {what.split(maxsplit=1)[0]} would be ")


def with_statement(**instead: object) -> str:
    first, *others = rights(TWO)
    return policy({**first, **instead}, *others)


def without_condition() -> str:
    return policy(
        *({key: value for key, value in one.items() if key != "Condition"} for one in rights(TWO))
    )


TWICE = '{"Version":"2012-10-17","Statement":' + json.dumps(ALL) + "," + policy(*rights(TWO))[1:]
TRUSTED_TWICE = TRUST.replace('"Principal":', '"Principal":"*","Principal":')
# What is keyed by the instance: its resource, and what it would say instead.
IDENTITIES: dict[str, tuple[str, dict[str, object]]] = {
    "policy of everything": (POLICY, {"policy": policy(ALL)}),
    "policy with one statement more": (POLICY, {"policy": policy(*rights(TWO), ALL)}),
    "policy with one statement less": (POLICY, {"policy": policy(*rights(TWO)[:-1])}),
    "policy of one action more": (
        POLICY,
        {"policy": with_statement(Action=["s3:GetObject", "s3:PutObject"])},
    ),
    "policy of another action": (POLICY, {"policy": with_statement(Action="s3:*")}),
    "policy on a neighbour's bundle": (
        POLICY,
        {
            "policy": with_statement(
                Resource=f"arn:aws:s3:::clawdinator-bootstrap/bootstrap/{ONE}/*"
            )
        },
    ),
    "policy on every bundle": (
        POLICY,
        {"policy": with_statement(Resource=f"{BUNDLES}/*")},
    ),
    "policy on what is not named": (
        POLICY,
        {"policy": with_statement(NotResource="arn:aws:s3:::other/*")},
    ),
    "policy without its condition": (POLICY, {"policy": without_condition()}),
    "policy with a key twice": (POLICY, {"policy": TWICE}),
    "policy that is no JSON": (POLICY, {"policy": "{"}),
    "policy that is unknown": (POLICY, {"policy": None}),
    "permissions_boundary of another account": (
        ROLE,
        {"permissions_boundary": f"arn:aws:iam::999999999999:{BOUNDARY}"},
    ),
    "permissions_boundary of another world": (
        ROLE,
        {"permissions_boundary": f"arn:aws-cn:iam::{ACCOUNT}:{BOUNDARY}"},
    ),
    "assume_role_policy with a key twice": (ROLE, {"assume_role_policy": TRUSTED_TWICE}),
    "assume_role_policy of one more": (
        ROLE,
        {"assume_role_policy": TRUST.replace(':"ec2.', ':["lambda.amazonaws.com","ec2.')},
    ),
    "managed_policy_arns is given": (ROLE, {"managed_policy_arns": [ADMIN]}),
    "inline_policy of another name": (ROLE, {"inline_policy": [{"name": "more"}]}),
    "inline_policy is one more": (
        ROLE,
        {"inline_policy": [{"name": "own-bootstrap-and-ssm-messages"}, {"name": "more"}]},
    ),
    "max_session_duration is longer": (ROLE, {"max_session_duration": 43200}),
    "tags_all is another": (ROLE, {"tags_all": {"app": "payroll"}}),
    "tags is given": (PROFILE, {"tags": {"team": "payroll"}, "tags_all": {"app": "clawdinator"}}),
}


@pytest.mark.parametrize("action", ["create", "update"])
@pytest.mark.parametrize(("what", "other"), IDENTITIES.items(), ids=IDENTITIES)
def test_its_rights_are_what_this_repository_makes(
    what: str, other: tuple[str, dict[str, object]], action: str
) -> None:
    resource, instead = other
    more = keyed(resource, TWO, action, after=own(resource, TWO, **instead))

    (in_the_roll,) = of_two(replaced(TWO), more)
    (in_finish,) = finished(plan(more), SEEN, EXPECTATION)

    assert in_the_roll == in_finish.why
    assert in_the_roll.startswith(f"its {what.split(maxsplit=1)[0]} would be ")


INGRESS = {**EGRESS, "from_port": 22, "to_port": 22, "protocol": "tcp"}
NETWORK: dict[str, tuple[str, dict[str, object]]] = {
    "ingress is open": (GROUP, {"ingress": [INGRESS]}),
    "egress is one more": (GROUP, {"egress": [EGRESS, INGRESS]}),
    "egress is none": (GROUP, {"egress": []}),
    "egress.cidr_blocks is another": (GROUP, {"egress": [{**EGRESS, "cidr_blocks": ["::/0"]}]}),
    "egress.security_groups is given": (
        GROUP,
        {"egress": [{**EGRESS, "security_groups": ["sg-1"]}]},
    ),
    "egress.ipv6_cidr_blocks is given": (
        GROUP,
        {"egress": [{**EGRESS, "ipv6_cidr_blocks": ["::/0"]}]},
    ),
    "name is another": (GROUP, {"name": "default"}),
    "vpc_id of the group is another": (GROUP, {"vpc_id": "vpc-0000beef"}),
    "route is one more": (ROUTES, {"route": [ROUTE, {**ROUTE, "cidr_block": "10.0.0.0/8"}]}),
    "route is none": (ROUTES, {"route": []}),
    "route.gateway_id is another": (ROUTES, {"route": [{**ROUTE, "gateway_id": "igw-0000beef"}]}),
    "route.nat_gateway_id is given": (ROUTES, {"route": [{**ROUTE, "nat_gateway_id": "nat-1"}]}),
    "route.vpc_peering_connection_id is given": (
        ROUTES,
        {"route": [{**ROUTE, "vpc_peering_connection_id": "pcx-1"}]},
    ),
    "route.cidr_block is another": (ROUTES, {"route": [{**ROUTE, "cidr_block": "10.0.0.0/8"}]}),
    "propagating_vgws is given": (ROUTES, {"propagating_vgws": ["vgw-1"]}),
    "vpc_id of the routes is another": (ROUTES, {"vpc_id": "vpc-0000beef"}),
    "route_table_id is another": (ROUTED, {"route_table_id": "rtb-0000beef"}),
    "subnet_id is another": (ROUTED, {"subnet_id": "subnet-0000beef"}),
    "gateway_id is given": (ROUTED, {"gateway_id": "igw-1"}),
    "cidr_block of the subnet is another": (SUBNET, {"cidr_block": "10.0.0.0/8"}),
    "vpc_id of the subnet is another": (SUBNET, {"vpc_id": "vpc-0000beef"}),
    "map_public_ip_on_launch is off": (SUBNET, {"map_public_ip_on_launch": False}),
    "vpc_id of the gateway is another": (GATEWAY, {"vpc_id": "vpc-0000beef"}),
    "cidr_block of the VPC is another": (VPC, {"cidr_block": "10.0.0.0/8"}),
    "enable_dns_support is off": (VPC, {"enable_dns_support": False}),
    "enable_dns_hostnames is off": (VPC, {"enable_dns_hostnames": False}),
    "instance_tenancy is dear": (VPC, {"instance_tenancy": "dedicated"}),
    "tags_all is another": (VPC, {"tags_all": {"app": "payroll"}}),
}


@pytest.mark.parametrize("action", ["update", "no-op"])
@pytest.mark.parametrize(("what", "other"), NETWORK.items(), ids=NETWORK)
def test_a_host_stands_on_what_this_repository_makes(
    what: str, other: tuple[str, dict[str, object]], action: str
) -> None:
    """Whether the plan would make it so, or somebody did."""
    address, instead = other

    (why,) = of_two(replaced(TWO), shared(address, action, **instead))

    assert why.startswith(f"its {what.split(maxsplit=1)[0]} would be ")


def test_what_a_network_did_not_say_before_it_does_not_say_afterwards() -> None:
    assert of_two(replaced(TWO), shared(SUBNET, "update", ipv6_native=True)) == [
        "its ipv6_native would be true, and this repository sets none"
    ]
    assert of_two(replaced(TWO), shared(SUBNET, "no-op", ipv6_native=True)) == []


def stays(resource: str, **instead: object) -> dict[str, Any]:
    there = own(resource, TWO, **instead)
    return keyed(resource, TWO, "no-op", before={**there, "id": f"{TWO}-host"}, after=there)


DRIFTED: dict[str, dict[str, Any]] = {
    "managed_policy_arns": stays(ROLE, managed_policy_arns=[ADMIN]),
    "inline_policy": stays(ROLE, inline_policy=[{"name": "more", "policy": policy(ALL)}]),
    "permissions_boundary": stays(ROLE, permissions_boundary=""),
    "policy": stays(POLICY, policy=policy(ALL)),
}


@pytest.mark.parametrize(("attribute", "there"), DRIFTED.items(), ids=DRIFTED)
def test_no_host_is_launched_with_rights_that_somebody_else_gave(
    attribute: str, there: dict[str, Any]
) -> None:
    (why,) = of_two(replaced(TWO), there)

    assert why.startswith(f"its {attribute} would be ")


def test_its_own_policy_is_seen_at_its_role_too() -> None:
    seen = [{"name": "own-bootstrap-and-ssm-messages", "policy": policy(*rights(TWO))}]

    assert of_two(replaced(TWO), stays(ROLE, inline_policy=seen, description="")) == []


def test_a_policy_may_be_spelt_otherwise() -> None:
    spelt = policy(*({**one, "Action": [one["Action"]]} for one in rights(TWO)[-2::-1]))
    whole = json.loads(spelt)
    whole["Statement"].append(rights(TWO)[-1])
    more = keyed(POLICY, TWO, "update", after=own(POLICY, TWO, policy=json.dumps(whole, indent=1)))

    assert of_two(replaced(TWO), more) == []


UNKNOWN: dict[str, dict[str, object]] = {
    "user_data": {"user_data": True},
    "instance_type": {"instance_type": True},
    "tags_all": {"tags_all": True},
    "iam_instance_profile": {"iam_instance_profile": True},
    "subnet_id": {"subnet_id": True},
    "vpc_security_group_ids": {"vpc_security_group_ids": True},
    "metadata_options": {"metadata_options": True},
    "metadata_options.http_tokens": {"metadata_options": [{"http_tokens": True}]},
    "root_block_device.encrypted": {"root_block_device": [{"encrypted": True}]},
}


@pytest.mark.parametrize(("attribute", "unknown"), UNKNOWN.items(), ids=UNKNOWN)
def test_what_this_repository_sets_is_known_before_it_is_applied(
    attribute: str, unknown: dict[str, object]
) -> None:
    assert of_two(replaced(TWO, after_unknown=unknown)) == [
        f"its {attribute} would be known only afterwards"
    ]


def configured(resource: str, **settings: object) -> dict[str, Any]:
    """The configuration, in which the resource sets this too."""
    of = {**SETTINGS, resource: {**SETTINGS[resource], **settings}}
    listed = [{"address": address, "expressions": one} for address, one in of.items()]
    return {"root_module": {"resources": listed}}


@pytest.mark.parametrize("setting", ["key_name", "network_interface", "user_data_base64"])
def test_what_it_leaves_to_aws_nobody_sets_to_what_shows_late(setting: str) -> None:
    more = configured(HOST, **{setting: {"references": ["aws_vpc.fleet.id"]}})

    assert of_two(replaced(TWO)) == []
    assert of_two(replaced(TWO), configuration=more) == [
        f"its {setting} would be known only afterwards"
    ]


def test_a_disk_has_no_key_that_shows_late() -> None:
    disk = [{"encrypted": {}, "kms_key_id": {"references": ["aws_vpc.fleet.id"]}}]

    assert of_two(replaced(TWO), configuration=configured(HOST, root_block_device=disk)) == [
        "its root_block_device.kms_key_id would be known only afterwards"
    ]


def test_a_plan_that_does_not_tell_its_configuration_leaves_nothing_to_aws() -> None:
    assert of_two(replaced(TWO), configuration={}) == [
        "its key_name would be known only afterwards"
    ]
    assert of_two(replaced(TWO, after_unknown={}), configuration={}) == []


def first_deploy() -> dict[str, dict[str, Any]]:
    """Everything is made, by address."""
    vpc = late(VPC, main_route_table_id=True)
    routes = late(ROUTES, vpc_id=True)
    outwards = {key: value for key, value in ROUTE.items() if key != "gateway_id"}
    routes["change"]["after"]["route"] = [outwards]
    routes["change"]["after_unknown"]["route"] = [{"gateway_id": True}]
    placed = ("subnet_id", "vpc_security_group_ids")
    mine = host(
        THREE,
        "create",
        after=without(HOST, THREE, *placed),
        after_unknown={**LEFT_TO_AWS, **dict.fromkeys(placed, True)},
    )
    rights_ = keyed(
        POLICY, THREE, "create", after=without(POLICY, THREE, "role"), after_unknown={"role": True}
    )
    made = (
        vpc,
        late(GATEWAY, vpc_id=True),
        late(SUBNET, vpc_id=True, availability_zone=True),
        routes,
        late(ROUTED, subnet_id=True, route_table_id=True),
        late(GROUP, vpc_id=True, ingress=True),
        keyed(
            ROLE,
            THREE,
            "create",
            after_unknown={"managed_policy_arns": True, "inline_policy": True, "name_prefix": True},
        ),
        keyed(PROFILE, THREE, "create"),
        rights_,
        mine,
    )
    return {one["address"]: one for one in made}


def test_the_first_deploy_makes_everything() -> None:
    assert rolled(plan(*first_deploy().values()), [THREE], NEW, SEEN, EXPECTATION) == ()


def test_a_route_leads_to_nothing_that_shows_late() -> None:
    made = first_deploy()
    made[ROUTES]["change"]["after_unknown"]["route"] = [
        {"gateway_id": True, "nat_gateway_id": True}
    ]

    (found,) = rolled(plan(*made.values()), [THREE], NEW, SEEN, EXPECTATION)

    assert found.why == "its route.nat_gateway_id would be known only afterwards"


REFERS: dict[str, tuple[str, str]] = {
    "a host into another subnet": (HOST, "subnet_id"),
    "a host into another group": (HOST, "vpc_security_group_ids"),
    "rights to another role": (POLICY, "role"),
    "a subnet in another VPC": (SUBNET, "vpc_id"),
    "routes in another VPC": (ROUTES, "vpc_id"),
    "a route to another gateway": (ROUTES, "route"),
    "other routes for the subnet": (ROUTED, "route_table_id"),
    "a group in another VPC": (GROUP, "vpc_id"),
    "a gateway in another VPC": (GATEWAY, "vpc_id"),
}


@pytest.mark.parametrize(("resource", "attribute"), REFERS.values(), ids=REFERS)
def test_what_shows_late_is_of_what_it_should_be(resource: str, attribute: str) -> None:
    other = configured(resource, **{attribute: {"references": ["aws_vpc.fleet.arn"]}})
    made = plan(*first_deploy().values(), configuration=other)

    (found,) = rolled(made, [THREE], NEW, SEEN, EXPECTATION)

    assert found.why.startswith(f"its {attribute}")
    assert found.why.endswith(" would be known only afterwards")


LATE = {
    SUBNET: {"its subnet_id would be known only afterwards"},
    GROUP: {"its vpc_security_group_ids would be known only afterwards"},
    ROUTES: {"its route_table_id would be known only afterwards"},
    GATEWAY: {"its route.gateway_id would be known only afterwards"},
}


@pytest.mark.parametrize("address", LATE)
def test_what_is_there_does_not_show_late(address: str) -> None:
    made = first_deploy()
    made[address] = shared(address, "no-op")

    found = rolled(plan(*made.values()), [THREE], NEW, SEEN, EXPECTATION)

    assert {one.why for one in found if one.address != address} == LATE[address]
