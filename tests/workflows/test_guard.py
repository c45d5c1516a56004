"""Plans that touch too much, each stopped by name; and those that do what was asked."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.plans import MACHINES, NEW, OLD, change, host, keyed, plan, replaced
from workflows.fleet_deploy.change import CHECK, IDENTITY, SHARED
from workflows.fleet_deploy.guard import Machines, finished, removed, rolled

ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"
REGISTERED = (ONE, TWO, THREE)
SEEN = Machines({machine: id_ for id_, machine in MACHINES.items()}, frozenset(MACHINES))
MINE = replaced(TWO)
ROLE, PROFILE = "aws_iam_role.instance", "aws_iam_instance_profile.instance"
POLICY = "aws_iam_role_policy.instance"
GROUP = "aws_security_group.fleet"


def of_two(*changes: object, **more: object) -> tuple[str, ...]:
    """What a plan for clawdinator-2's job is stopped for."""
    return tuple(map(str, rolled(plan(MINE, *changes, **more), [TWO], NEW, SEEN)))


TOO_MUCH: dict[str, list[dict[str, Any]]] = {
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
    "a leftover of this host": [host(TWO, "delete", deposed="0a1b2c3d")],
    "a leftover of another host": [host(ONE, "delete", deposed="0a1b2c3d")],
    "a leftover of no host": [change(GROUP, "delete", deposed="0a1b2c3d")],
    "what is no host is destroyed": [change("aws_s3_bucket.images", "delete")],
    "what is no host is replaced": [change(GROUP, "delete", "create")],
    "what is no host is replaced, the new one first": [change(GROUP, "create", "delete")],
    "what is keyed by this id is destroyed": [keyed(ROLE, TWO, "delete")],
    "what is keyed by an id that left is destroyed": [keyed(ROLE, GONE, "delete")],
    "another host is forgotten": [host(ONE, "forget")],
    "what is no host is forgotten": [change(GROUP, "forget")],
    "a host is replaced and the old one kept": [host(ONE, "create", "forget")],
    "what is keyed by another id is created": [keyed(ROLE, THREE, "create")],
    "another host's rights are updated": [keyed(POLICY, ONE, "update")],
    "rights by another name, keyed by this id": [keyed("aws_iam_role_policy.more", TWO, "create")],
    "rights without a key": [change("aws_iam_role_policy.more", "create")],
    "what is shared, keyed by another id": [keyed(GROUP, ONE, "update")],
    "an address is moved to this host": [change("aws_eip_association.in", "update")],
    "an image is made of a host": [change("aws_ami_from_instance.copy", "create")],
    "a command is run on hosts": [change("aws_ssm_association.run", "create")],
    "what may run a program": [change("terraform_data.run", "create")],
    "a stack": [change("aws_cloudformation_stack.more", "create")],
    "a machine of another kind": [change("aws_lightsail_instance.cheap", "create")],
    "a bucket's policy": [change("aws_s3_bucket_policy.images", "update")],
    "another network": [change("aws_vpc.other", "create")],
    "another group, of a kind that a fleet has": [change("aws_security_group.backdoor", "create")],
    "what is shared, in a module": [change("module.net.aws_security_group.fleet", "create")],
    "no action at all": [change(GROUP)],
    "an action that does not exist yet": [change(GROUP, "evict")],
    "three actions": [change(GROUP, "delete", "create", "delete")],
    "a resource that is read": [change(GROUP, "read")],
    "a data source that is made": [change("data.aws_partition.current", "create")],
    "an unknown mode": [change(GROUP, "create", mode="ephemeral")],
    "a host is moved to another address": [
        host(ONE, "no-op", previous_address='aws_instance.clawdinator["clawdinator-2"]')
    ],
    "a host is imported": [
        keyed("aws_instance.clawdinator", ONE)
        | {"change": {"actions": ["no-op"], "importing": {"id": "i-00000001"}}}
    ],
    "the Lambda": [change("aws_lambda_function.control_api", "update")],
    "its URL": [change("aws_lambda_function_url.control_api", "create")],
    "the lock table": [change("aws_dynamodb_table.lock", "update")],
    "an invoker": [keyed("aws_iam_user.invoker", TWO, "create")],
    "an invoker's key": [change("aws_iam_access_key.invoker", "create")],
    "who may deploy": [change("aws_iam_openid_connect_provider.github", "update")],
    "an address that is not the resource's": [
        host(ONE, "create") | {"address": 'aws_instance.clawdinator["clawdinator-2"]'}
    ],
    "a host that calls itself something else": [
        change('aws_security_group.x["clawdinator-1"]', "create", index=ONE, type="aws_instance")
    ],
    "this host twice": [replaced(TWO)],
    "no address": [{"mode": "managed", "change": {"actions": ["create"]}}],
    "no type": [change(GROUP, "create") | {"type": None}],
    "no change": [change(GROUP, "create") | {"change": None}],
    "actions that are a word": [change(GROUP) | {"change": {"actions": "create"}}],
    "an index that is a list": [change(GROUP, "create", index=[TWO])],  # type: ignore[arg-type]  # on purpose
    "an index that is true": [change(GROUP + "[true]", "create", index=True)],
}


@pytest.mark.parametrize("changes", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_plan_that_touches_too_much_is_stopped(changes: list[dict[str, Any]]) -> None:
    found = of_two(*changes)

    assert len(found) == 1, found


@pytest.mark.parametrize("changes", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_rehearsal_that_touches_too_much_is_stopped(changes: list[dict[str, Any]]) -> None:
    rehearsal = plan(MINE, replaced("clawdinator-4"), *changes)
    machines = Machines({**SEEN.owners, "i-0000dead": "clawdinator-4"}, SEEN.live)

    assert len(rolled(rehearsal, [TWO, "clawdinator-4"], NEW, machines)) == 1


def test_a_trespass_is_named_by_address_and_action() -> None:
    assert of_two(replaced(ONE)) == (
        'aws_instance.clawdinator["clawdinator-1"] would be replaced: nobody asked for this host',
    )


ALLOWED: dict[str, list[dict[str, Any]]] = {
    "nothing else": [],
    "others stay as they are": [host(ONE, "no-op"), host(GONE, "no-op"), change(GROUP, "no-op")],
    "what is keyed by this id is created": [keyed(ROLE, TWO, "create")],
    "what is keyed by this id is updated": [keyed(POLICY, TWO, "update")],
    "what is no host is created": [change(GROUP, "create")],
    "what is no host is updated in place": [change(GROUP, "update")],
    "a data source is read": [change("data.aws_partition.current", "read")],
    "a data source about hosts is read": [change("data.aws_instance.look", "read")],
    "what is no host, counted": [change("aws_security_group.fleet[0]", "create", index=0)],
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
    assert rolled(plan(host(THREE, "create")), [THREE], NEW, SEEN) == ()


HALF_DONE: dict[str, dict[str, Any]] = {
    "the host stays as it is": plan(host(TWO, "no-op")),
    "the host is not mentioned": plan(),
    "the host is only destroyed": plan(host(TWO, "delete")),
    "the host is only updated": plan(host(TWO, "update")),
    "the host gets another image": plan(replaced(TWO, image=OLD)),
    "the image is not known": plan(replaced(TWO, after={})),
    "the machine is another instance's": plan(replaced(TWO, before={"id": MACHINES[ONE]})),
    "the machine is none of the fleet": plan(replaced(TWO, before={"id": "i-0000beef"})),
    "the machine has no id": plan(replaced(TWO, before={})),
    "a second machine beside one the state does not know": plan(host(TWO, "create")),
}


@pytest.mark.parametrize("made", HALF_DONE.values(), ids=HALF_DONE)
def test_a_plan_that_does_not_what_was_asked_is_stopped(made: dict[str, Any]) -> None:
    assert rolled(made, [TWO], NEW, SEEN)


STRANGE: dict[str, object] = {
    "null": None,
    "a list": [MINE],
    "empty": {},
    "another format": plan(MINE, format_version="2.0"),
    "no format": {"resource_changes": [MINE]},
    "changes by address": plan() | {"resource_changes": {"a": MINE}},
    "a change that is a word": plan(MINE, "clawdinator-1"),
    "errored": plan(MINE, errored=True),
    "deferred": plan(MINE, deferred_changes=[{"reason": "unknown"}]),
    "actions of providers": plan(MINE, action_invocations=[{"type": "aws_ec2_stop_instance"}]),
}


@pytest.mark.parametrize("made", STRANGE.values(), ids=STRANGE)
def test_a_plan_of_strange_shape_is_stopped(made: object) -> None:
    assert rolled(made, [TWO], NEW, SEEN)


@pytest.mark.parametrize("made", [one for name, one in STRANGE.items() if name != "empty"])
def test_a_last_plan_of_strange_shape_is_stopped(made: object) -> None:
    assert finished(made, REGISTERED, SEEN)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*change(GROUP, "create"), "index", "deposed"]), inner)
    ),
    max_leaves=12,
)


@given(json)
def test_no_shape_of_a_change_breaks_the_guard(shape: object) -> None:
    assert isinstance(rolled(plan(MINE, shape), [TWO], NEW, SEEN), tuple)


FINISH_ALLOWED: dict[str, list[dict[str, Any]]] = {
    "nothing to do": [],
    "the host of an id that left": [host(GONE, "delete")],
    "the leftover of a host of an id that left": [host(GONE, "delete", deposed="0a1b2c3d")],
    "what is keyed by an id that left": [keyed(ROLE, GONE, "delete"), keyed(ROLE, ONE, "no-op")],
    "what is no host is created": [change(GROUP, "create")],
    "what is no host is updated": [change(GROUP, "update")],
    "what is keyed by a registered id is updated": [keyed(ROLE, ONE, "update")],
    "the check on the registry": [change("terraform_data.registry_is_not_empty", "create")],
    "a data source is read": [change("data.aws_partition.current", "read")],
}


@pytest.mark.parametrize("changes", FINISH_ALLOWED.values(), ids=FINISH_ALLOWED)
def test_finishing_may_remove_what_left_and_bring_the_rest_up_to_date(
    changes: list[dict[str, Any]],
) -> None:
    assert finished(plan(host(ONE, "no-op"), *changes), REGISTERED, SEEN) == ()


FINISH_TOO_MUCH: dict[str, list[dict[str, Any]]] = {
    "a registered host is replaced": [replaced(ONE)],
    "a registered host is destroyed": [host(ONE, "delete")],
    "a registered host is updated": [host(ONE, "update")],
    "a registered host is created": [host(THREE, "create")],
    "a registered host's leftover": [host(ONE, "delete", deposed="0a1b2c3d")],
    "an unregistered host is created": [host(GONE, "create")],
    "an unregistered host is replaced": [replaced(GONE)],
    "an unregistered host is forgotten": [host(GONE, "forget")],
    "an unregistered host that is a registered one's machine": [
        host(GONE, "delete", before={"id": MACHINES[ONE]})
    ],
    "a host by another name": [keyed("aws_instance.other", GONE, "delete")],
    "a host without a key": [change("aws_instance.clawdinator", "delete")],
    "a bucket is destroyed": [change("aws_s3_bucket.images", "delete")],
    "a security group is replaced": [change(GROUP, "delete", "create")],
    "what is keyed by a registered id is destroyed": [keyed(ROLE, ONE, "delete")],
    "what is keyed by a registered id is replaced": [keyed(PROFILE, ONE, "delete", "create")],
    "a registered host's rights are removed": [
        keyed("aws_iam_role_policy.instance", ONE, "delete")
    ],
    "what is keyed by something else": [
        keyed("aws_subnet.zone", "eu-west-1a", "delete"),
        keyed("aws_subnet.zone", "eu-west-1b", "no-op"),
    ],
    "what is keyed by nobody knows what": [keyed("aws_subnet.zone", "eu-west-1a", "delete")],
    "the lock table": [change("aws_dynamodb_table.lock", "update")],
    "the Lambda": [change("aws_lambda_function.control_api", "delete")],
    "a stack": [change("aws_cloudformation_stack.more", "create")],
    "a bucket's policy": [change("aws_s3_bucket_policy.images", "update")],
    "the deploy role's rights are removed": [change("aws_iam_role_policy.deploy", "delete")],
    "what may run a program": [change("terraform_data.run", "create")],
    "an identity of an id that left": [keyed(ROLE, GONE, "create")],
    "another role": [change("aws_iam_role.more", "create")],
    "a role gets more rights": [change("aws_iam_role_policy_attachment.admin", "create")],
    "rights by another name, keyed by a registered id": [
        keyed("aws_iam_role_policy.more", TWO, "create")
    ],
    "rights by another name, keyed by an id that left": [
        keyed("aws_iam_role_policy.more", GONE, "delete"),
        keyed("aws_iam_role_policy.more", ONE, "no-op"),
    ],
    "a way in": [change("aws_security_group_rule.ssh", "create")],
    "a rule is removed": [change("aws_security_group_rule.old", "delete")],
    "another network": [change("aws_vpc.other", "create")],
    "a resource moves": [change(GROUP, "no-op", previous_address="aws_security_group.old")],
    "an unknown action": [change(GROUP, "evict")],
}


@pytest.mark.parametrize("changes", FINISH_TOO_MUCH.values(), ids=FINISH_TOO_MUCH)
def test_finishing_touches_nothing_else(changes: list[dict[str, Any]]) -> None:
    found = finished(plan(host(TWO, "no-op"), *changes), REGISTERED, SEEN)

    assert len(found) == 1, found


def test_the_hosts_that_go_are_named() -> None:
    assert removed(plan(host(GONE, "delete"), host(ONE, "no-op"), MINE)) == (GONE,)


RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{((?:\n(?!\}).*)*)', re.MULTILINE)


def test_the_lists_are_what_a_fleet_is_made_of() -> None:
    folder = Path(__file__).parents[2] / "tofu/fleet"
    made = RESOURCE.findall("".join(path.read_text() for path in sorted(folder.glob("*.tf"))))
    keyed_ = {
        f"{type_}.{name}" for type_, name, body in made if "for_each = local.registry" in body
    }

    assert keyed_ == {
        "aws_instance.clawdinator",
        *IDENTITY,
    }
    assert {f"{type_}.{name}" for type_, name, _ in made} - keyed_ == {
        *SHARED,
        CHECK,
    }


OWN: dict[str, list[dict[str, Any]]] = {
    "its host": [replaced(ONE)],
    "its host, in place": [host(ONE, "update")],
    "its rights": [keyed(POLICY, ONE, "update")],
    "something new under its id": [keyed(ROLE, ONE, "create")],
    "what is shared, under its id": [keyed(GROUP, ONE, "update")],
}


@pytest.mark.parametrize("changes", OWN.values(), ids=OWN)
def test_nothing_of_the_caller_changes_in_whichever_job(changes: list[dict[str, Any]]) -> None:
    whole = plan(MINE, *changes)
    asked_for = rolled(whole, [TWO, ONE], NEW, SEEN, caller=ONE)
    rest = finished(plan(*changes), REGISTERED, SEEN, caller=ONE)

    for found in (asked_for, rest):
        assert "no bot instance deploys itself" in str(found[0]), found


def test_a_caller_that_left_the_registry_is_not_removed_either() -> None:
    assert finished(plan(host(GONE, "delete")), REGISTERED, SEEN, caller=GONE)
