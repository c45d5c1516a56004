"""The last plan of `all`: what it may remove and bring up to date, and what stops it."""

from typing import Any

import pytest

from tests.workflows.plans import (
    EXPECTATION,
    GONE,
    GROUP,
    MACHINES,
    NEW,
    ONE,
    POLICY,
    PROFILE,
    ROLE,
    ROUTED,
    SEEN,
    THREE,
    TWO,
    change,
    host,
    keyed,
    plan,
    replaced,
    shared,
)
from workflows.fleet_deploy.guard import Machines, finished, removed, rolled

CHECK = change(
    "terraform_data.registry_is_not_empty",
    "create",
    provider_name="registry.example/builtin/terraform",
)
ALLOWED: dict[str, list[dict[str, Any]]] = {
    "nothing to do": [],
    "the host of an id that left": [host(GONE, "delete")],
    "the leftover of a host of an id that left": [host(GONE, "delete", deposed="0a1b2c3d")],
    "what is keyed by an id that left": [
        *(keyed(resource, GONE, "delete") for resource in (ROLE, PROFILE, POLICY)),
        keyed(ROLE, ONE, "no-op"),
    ],
    "what is shared is created": [shared(ROUTED, "create")],
    "what is shared is updated": [shared(GROUP, "update")],
    "what is keyed by a registered id is created": [keyed(ROLE, THREE, "create")],
    "what is keyed by a registered id is updated": [keyed(ROLE, ONE, "update")],
    "the check on the registry": [CHECK],
    "a data source is read": [change("data.aws_partition.current", "read")],
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED)
def test_finishing_may_remove_what_left_and_bring_the_rest_up_to_date(
    changes: list[dict[str, Any]],
) -> None:
    assert finished(plan(host(ONE, "no-op"), *changes), SEEN, EXPECTATION) == ()


# By what it is stopped for: what else a plan would do.
TOO_MUCH: dict[str, dict[str, dict[str, Any]]] = {
    "registered hosts are only moved one by one": {
        "a registered host is replaced": replaced(ONE),
        "a registered host is destroyed": host(ONE, "delete"),
        "a registered host is updated": host(ONE, "update"),
        "a registered host is created": host(THREE, "create"),
        "a registered host's leftover": host(ONE, "delete", deposed="0a1b2c3d"),
    },
    "it is not in the registry": {
        "an unregistered host is created": host(GONE, "create"),
        "an unregistered host is replaced": replaced(GONE),
    },
    "its key names no instance": {
        "a host keyed by a word that is no id": host("all", "delete"),
        "a host keyed by a number": change("aws_instance.clawdinator[0]", "delete", index=0),
        "a host without a key": change("aws_instance.clawdinator", "delete"),
    },
    f"i-00000001, which EC2 shows as {ONE}": {
        "an unregistered host that is a registered one's machine": host(
            GONE, "delete", before={"id": MACHINES[ONE]}
        ),
    },
    "it is no host of the registry's": {
        "a host by another name": keyed("aws_instance.other", GONE, "delete"),
        "a spot host": change("aws_spot_instance_request.cheap", "create"),
    },
    "a run removes only what is keyed by an id that left the registry": {
        "a bucket is destroyed": change("aws_s3_bucket.images", "delete"),
        "what is shared is replaced": change(GROUP, "delete", "create"),
        "what is keyed by an id that left is replaced": keyed(ROLE, GONE, "delete", "create"),
        "what is shared leaves something over": change(GROUP, "delete", deposed="0a1b2c3d"),
        "what is keyed by a registered id is destroyed": keyed(ROLE, ONE, "delete"),
        "what is keyed by a registered id is replaced": keyed(PROFILE, ONE, "delete", "create"),
        "a registered host's rights are removed": keyed(POLICY, ONE, "delete"),
        "what is keyed by a word that is no id": keyed(ROLE, "all", "delete"),
        "what is keyed by something else": keyed("aws_subnet.zone", "eu-west-1a", "delete"),
        "the deploy role's rights are removed": change("aws_iam_role_policy.deploy", "delete"),
        "rights by another name": keyed("aws_iam_role_policy.more", GONE, "delete"),
        "a rule is removed": change("aws_security_group_rule.old", "delete"),
    },
    "a leftover can only be destroyed": {
        "one of what is shared is updated": change(GROUP, "update", deposed="0a1b2c3d"),
    },
    "it belongs to the control plane": {
        "the lock table": change("aws_dynamodb_table.lock", "update"),
        "the Lambda": change("aws_lambda_function.control_api", "delete"),
    },
    "its key is not in the registry": {
        "an identity of an id that left is created": keyed(ROLE, GONE, "create"),
        "an identity of an id that left is updated": keyed(POLICY, GONE, "update"),
    },
    "no part of a fleet": {
        "a stack": change("aws_cloudformation_stack.more", "create"),
        "a bucket's policy": change("aws_s3_bucket_policy.images", "update"),
        "what may run a program": change("terraform_data.run", "create"),
        "another role": change("aws_iam_role.more", "create"),
        "a role without a key": change(ROLE, "create"),
        "a role gets more rights": change("aws_iam_role_policy_attachment.admin", "create"),
        "rights by another name": keyed("aws_iam_role_policy.more", TWO, "create"),
        "a way in": change("aws_security_group_rule.ssh", "create"),
        "another network": change("aws_vpc.other", "create"),
        "a second network": change("aws_vpc.fleet[1]", "create", index=1),
        "a second check": change("terraform_data.registry_is_not_empty[1]", "create", index=1),
    },
    "a move is done by hand": {
        "what is shared": change(GROUP, "no-op", previous_address="aws_security_group.old"),
    },
    "its actions are ": {
        "an action that does not exist yet": change(GROUP, "evict"),
        "an unregistered host is forgotten": host(GONE, "forget"),
    },
}


@pytest.mark.parametrize(
    ("why", "more"),
    [
        pytest.param(why, more, id=f"{why}: {name}")
        for why, changes in TOO_MUCH.items()
        for name, more in changes.items()
    ],
)
def test_finishing_touches_nothing_else(why: str, more: dict[str, Any]) -> None:
    found = finished(plan(host(TWO, "no-op"), more), SEEN, EXPECTATION)

    assert len(found) == 1, found
    assert why in found[0].why


def test_a_machine_that_is_named_like_no_instance_stays() -> None:
    machines = Machines({"i-0000dead": "all"}, frozenset())

    assert finished(plan(host("all", "delete")), machines, EXPECTATION)


def test_the_hosts_that_go_are_named() -> None:
    going = plan(
        host(GONE, "delete"), host(THREE, "delete", deposed="0a1b2c3d"), host(ONE, "no-op")
    )

    assert removed(going) == (GONE,)
    assert removed(plan(replaced(ONE), keyed("aws_instance.other", GONE, "delete"))) == ()


MINE = replaced(TWO)
STRANGE: dict[str, tuple[str, object]] = {
    "null": ("it is not an object", None),
    "a list": ("it is not an object", [MINE]),
    "another format": ("its format version is '2.0'", plan(MINE, format_version="2.0")),
    "no format": ("its format version is None", {"resource_changes": [MINE]}),
    "changes by address": ("are not a list", plan() | {"resource_changes": {"a": MINE}}),
    "a change that is a word": ("it is not an object", plan(MINE, "clawdinator-1")),
    "errored": ("making it failed", plan(MINE, errored=True)),
    "deferred": ("it holds deferred_changes", plan(MINE, deferred_changes=[{"reason": "x"}])),
    "actions of providers": (
        "it holds action_invocations",
        plan(MINE, action_invocations=[{"type": "aws_ec2_stop_instance"}]),
    ),
}


@pytest.mark.parametrize(("why", "made"), STRANGE.values(), ids=STRANGE)
def test_a_plan_of_strange_shape_is_stopped_in_whichever_job(why: str, made: object) -> None:
    for found in (rolled(made, [TWO], NEW, SEEN, EXPECTATION), finished(made, SEEN, EXPECTATION)):
        assert why in found[0].why


def test_an_empty_plan_is_strange() -> None:
    assert "its format version is None" in rolled({}, [TWO], NEW, SEEN, EXPECTATION)[0].why
    assert "its format version is None" in finished({}, SEEN, EXPECTATION)[0].why
