"""Plans of a host's job that touch too much, each stopped by name; and those that do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.plans import (
    EXPECTATION,
    GONE,
    HOST,
    MACHINES,
    NEW,
    OLD,
    ONE,
    POLICY,
    ROLE,
    ROUTED,
    SEEN,
    THREE,
    TWO,
    change,
    host,
    keyed,
    own,
    plan,
    replaced,
    shared,
)
from workflows.fleet_deploy.guard import Machines, rolled

MINE = replaced(TWO)


def of_two(*changes: object, **more: object) -> tuple[str, ...]:
    """What a plan for clawdinator-2's job is stopped for."""
    return tuple(map(str, rolled(plan(MINE, *changes, **more), [TWO], NEW, SEEN, EXPECTATION)))


# By what it is stopped for: what else a plan would do.
TOO_MUCH: dict[str, dict[str, list[dict[str, Any]]]] = {
    "nobody asked for this host": {
        "another host is replaced": [replaced(ONE)],
        "another host is replaced, the new one first": [host(ONE, "create", "delete")],
        "another host is destroyed": [host(ONE, "delete")],
        "another host is updated in place": [host(ONE, "update")],
        "another host is created": [host(THREE, "create")],
        "a host that left the registry is destroyed": [host(GONE, "delete")],
        "a host without a key": [change("aws_instance.clawdinator", "create")],
        "a host keyed by a number": [change("aws_instance.clawdinator[0]", "create", index=0)],
        "a host by another name, of the same id": [keyed("aws_instance.other", TWO, "create")],
        "a host by another name": [change("aws_instance.bastion", "update")],
        "a host in a module": [keyed("module.fleet.aws_instance.clawdinator", TWO, "create")],
        "a spot host": [change("aws_spot_instance_request.cheap", "create")],
        "a group that makes hosts": [change("aws_autoscaling_group.fleet", "create")],
        "a fleet that makes hosts": [change("aws_ec2_fleet.fleet", "update")],
        "a host is stopped": [keyed("aws_ec2_instance_state.off", ONE, "create")],
        "a leftover of another host": [host(ONE, "delete", deposed="0a1b2c3d")],
    },
    "the leftover of an earlier apply": {
        "a leftover of this host": [host(TWO, "delete", deposed="0a1b2c3d")],
        "a leftover of no host": [change(ROUTED, "delete", deposed="0a1b2c3d")],
    },
    "a leftover can only be destroyed": {
        "one is updated": [change(ROUTED, "update", deposed="0a1b2c3d")],
    },
    "a host's job destroys or replaces nothing but its host": {
        "what is no host is destroyed": [change("aws_s3_bucket.images", "delete")],
        "what is no host is replaced": [change(ROUTED, "delete", "create")],
        "what is no host is replaced, the new one first": [change(ROUTED, "create", "delete")],
        "what is keyed by this id is destroyed": [keyed(ROLE, TWO, "delete")],
        "what is keyed by this id is replaced": [keyed(ROLE, TWO, "delete", "create")],
        "what is keyed by an id that left is destroyed": [keyed(ROLE, GONE, "delete")],
    },
    "keyed by no host that is moved here": {
        "what is keyed by another id is created": [keyed(ROLE, THREE, "create")],
        "another host's rights are updated": [keyed(POLICY, ONE, "update")],
    },
    "no part of a fleet": {
        "rights by another name": [keyed("aws_iam_role_policy.more", TWO, "create")],
        "rights without a key": [change("aws_iam_role_policy.more", "create")],
        "a role without a key": [change(ROLE, "create")],
        "what is shared, keyed by this id": [keyed(ROUTED, TWO, "update")],
        "what is shared, keyed by another id": [keyed(ROUTED, ONE, "update")],
        "what is shared, counted": [change("aws_vpc.fleet[3]", "create", index=3)],
        "what is shared, in a module": [change("module.net.aws_security_group.fleet", "create")],
        "an address is moved to this host": [change("aws_eip_association.in", "update")],
        "an image is made of a host": [change("aws_ami_from_instance.copy", "create")],
        "a command is run on hosts": [change("aws_ssm_association.run", "create")],
        "what may run a program": [change("terraform_data.run", "create")],
        "a stack": [change("aws_cloudformation_stack.more", "create")],
        "a machine of another kind": [change("aws_lightsail_instance.cheap", "create")],
        "a bucket's policy": [change("aws_s3_bucket_policy.images", "update")],
        "another network": [change("aws_vpc.other", "create")],
        "another group": [change("aws_security_group.backdoor", "create")],
        "the check on the registry": [change("terraform_data.registry_is_not_empty", "create")],
    },
    "it belongs to the control plane": {
        "the Lambda": [change("aws_lambda_function.control_api", "update")],
        "its URL": [change("aws_lambda_function_url.control_api", "create")],
        "the lock table": [change("aws_dynamodb_table.lock", "update")],
        "an invoker": [keyed("aws_iam_user.invoker", TWO, "create")],
        "an invoker's key": [change("aws_iam_access_key.invoker", "create")],
        "who may deploy": [change("aws_iam_openid_connect_provider.github", "update")],
    },
    "only a data source can be read": {"a resource": [change(ROUTED, "read")]},
    "a data source can only be read": {
        "a data source is made": [change("data.aws_partition.current", "create")],
    },
    "its actions are ": {
        "another host is forgotten": [host(ONE, "forget")],
        "what is no host is forgotten": [change(ROUTED, "forget")],
        "a host is replaced and the old one kept": [host(ONE, "create", "forget")],
        "no action at all": [change(ROUTED)],
        "an action that does not exist yet": [change(ROUTED, "evict")],
        "three actions": [change(ROUTED, "delete", "create", "delete")],
        "actions that are a word": [change(ROUTED) | {"change": {"actions": "create"}}],
    },
    "its mode is ": {"a mode of its own": [change(ROUTED, "create", mode="ephemeral")]},
    "a move is done by hand": {
        "to another host's address": [host(ONE, "no-op", previous_address=f'x["{TWO}"]')],
    },
    "it would be imported": {
        "a host": [
            host(ONE, "no-op") | {"change": {"actions": ["no-op"], "importing": {"id": "i-1"}}}
        ],
    },
    "its address is not ": {
        "another host's": [
            host(ONE, "create") | {"address": 'aws_instance.clawdinator["clawdinator-2"]'}
        ],
        "a host that calls itself something else": [
            change('aws_security_group.x["clawdinator-1"]', "create", index=ONE)
            | {"type": "aws_instance"}
        ],
    },
    "it stands twice": {"this host": [replaced(TWO)]},
    "its address is None": {"none": [{"mode": "managed", "change": {"actions": ["create"]}}]},
    "its type is None": {"none": [change(ROUTED, "create") | {"type": None}]},
    "its provider_name is None": {"none": [change(ROUTED, "create") | {"provider_name": None}]},
    "it does not say what would change": {"none": [change(ROUTED, "create") | {"change": None}]},
    "its index is ": {
        "a list": [change(ROUTED, "create") | {"index": [TWO]}],
        "true": [change(ROUTED + "[true]", "create") | {"index": True}],
    },
}
EACH = [
    pytest.param(why, changes, id=f"{why}: {name}")
    for why, plans in TOO_MUCH.items()
    for name, changes in plans.items()
]


@pytest.mark.parametrize(("why", "changes"), EACH)
def test_a_plan_that_touches_too_much_is_stopped(why: str, changes: list[dict[str, Any]]) -> None:
    found = of_two(*changes)

    assert len(found) == 1, found
    assert why in found[0]


@pytest.mark.parametrize(("why", "changes"), EACH)
def test_a_rehearsal_that_touches_too_much_is_stopped(
    why: str, changes: list[dict[str, Any]]
) -> None:
    rehearsal = plan(MINE, replaced("clawdinator-4"), *changes)
    machines = Machines({**SEEN.owners, "i-0000dead": "clawdinator-4"}, SEEN.live)

    found = rolled(rehearsal, [TWO, "clawdinator-4"], NEW, machines, EXPECTATION)

    assert len(found) == 1, found
    assert why in found[0].why


def test_a_violation_is_named_by_address_and_action() -> None:
    assert of_two(replaced(ONE)) == (
        'aws_instance.clawdinator["clawdinator-1"] would be replaced: nobody asked for this host',
    )


ALLOWED: dict[str, list[dict[str, Any]]] = {
    "nothing else": [],
    "others stay as they are": [host(ONE, "no-op"), host(GONE, "no-op"), shared(ROUTED, "no-op")],
    "what is keyed by this id is created": [keyed(ROLE, TWO, "create")],
    "what is keyed by this id is updated": [keyed(POLICY, TWO, "update")],
    "what is shared is created": [shared(ROUTED, "create")],
    "what is shared is updated in place": [shared(ROUTED, "update")],
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED)
def test_a_plan_that_does_what_was_asked_passes(changes: list[dict[str, Any]]) -> None:
    assert of_two(*changes) == ()


def test_what_is_told_beside_the_changes_does_no_harm() -> None:
    assert (
        of_two(output_changes={"fleet": {"actions": ["update"]}}, resource_drift=[replaced(ONE)])
        == ()
    )


def test_a_host_that_has_no_machine_may_be_created() -> None:
    assert rolled(plan(host(THREE, "create")), [THREE], NEW, SEEN, EXPECTATION) == ()


HALF_DONE: dict[str, tuple[str, dict[str, Any]]] = {
    "the host stays as it is": ("it was to be replaced", plan(host(TWO, "no-op"))),
    "the host is not mentioned": ("it was to be replaced", plan()),
    "the host is only destroyed": ("only ever replaced or created", plan(host(TWO, "delete"))),
    "the host is only updated": ("only ever replaced or created", plan(host(TWO, "update"))),
    "the host gets another image": (f"it would run {OLD}", plan(replaced(TWO, image=OLD))),
    "the image is not known": ("it would run an unknown image", plan(replaced(TWO, after={}))),
    "the machine is another instance's": (
        f"which EC2 shows as {ONE}",
        plan(replaced(TWO, before={"id": MACHINES[ONE]})),
    ),
    "the machine is none of the fleet": (
        "i-0000beef, which EC2 shows as none of the fleet",
        plan(replaced(TWO, before={"id": "i-0000beef"})),
    ),
    "the machine has no id": ("a machine without an id", plan(replaced(TWO, before={}))),
    "a second machine beside one the state does not know": (
        "two would share its token",
        plan(host(TWO, "create")),
    ),
}


@pytest.mark.parametrize(("why", "made"), HALF_DONE.values(), ids=HALF_DONE)
def test_a_plan_that_does_not_what_was_asked_is_stopped(why: str, made: dict[str, Any]) -> None:
    assert why in rolled(made, [TWO], NEW, SEEN, EXPECTATION)[0].why


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*change(ROUTED, "create"), "index", "deposed"]), inner)
    ),
    max_leaves=12,
)


@given(json)
def test_no_shape_of_a_change_breaks_the_guard(shape: object) -> None:
    assert isinstance(rolled(plan(MINE, shape), [TWO], NEW, SEEN, EXPECTATION), tuple)


def test_what_another_instance_has_is_no_matter_of_this_job_while_it_stays() -> None:
    by_hand = own(ROLE, ONE, permissions_boundary=None)

    assert of_two(keyed(ROLE, ONE, "no-op", before=by_hand, after=by_hand)) == ()


def test_a_host_that_stays_as_it_is_is_told_once() -> None:
    old = own(HOST, TWO, ami=OLD)
    stays = host(TWO, "no-op", before=old, after=old)

    (found,) = rolled(plan(stays), [TWO], NEW, SEEN, EXPECTATION)

    assert found.why == "it was to be replaced"


def test_what_is_read_may_say_whatever_it_says() -> None:
    read = change("data.aws_partition.current", "read", after={"dns_suffix": "amazonaws.com"})

    assert of_two(read) == ()
