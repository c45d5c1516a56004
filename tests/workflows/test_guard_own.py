"""Whose a thing is: it is keyed by an instance, and must be that one's and not the caller's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.plans import (
    EXPECTATION,
    GONE,
    GROUP,
    HOST,
    METADATA,
    NEW,
    ONE,
    POLICY,
    PROFILE,
    ROLE,
    SEEN,
    THREE,
    TRUST,
    TWO,
    host,
    keyed,
    own,
    plan,
    replaced,
)
from workflows.fleet_deploy.guard import finished, rolled

NEIGHBOUR = f"{ONE}-host"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def made(resource: str, **instead: object) -> dict[str, Any]:
    return keyed(resource, TWO, "create", after=own(resource, TWO, **instead))


def updated(resource: str, **instead: object) -> dict[str, Any]:
    return keyed(resource, TWO, "update", after=own(resource, TWO, **instead))


def moved(**instead: object) -> dict[str, Any]:
    return replaced(TWO, after=own(HOST, TWO, **instead))


NOT_ITS_OWN: dict[str, tuple[str, dict[str, Any]]] = {
    "a policy is made for the neighbour": (
        f"role would be {NEIGHBOUR}",
        made(POLICY, role=NEIGHBOUR),
    ),
    "a policy is given to the neighbour": (
        f"role would be {NEIGHBOUR}",
        updated(POLICY, role=NEIGHBOUR),
    ),
    "a policy by another name": ("name would be more", made(POLICY, name="more")),
    "a profile lends another role": (
        "role would be fleet-deploy",
        made(PROFILE, role="fleet-deploy"),
    ),
    "a profile by another name": (f"name would be {NEIGHBOUR}", made(PROFILE, name=NEIGHBOUR)),
    "a profile at another path": ("path would be /", made(PROFILE, path="/")),
    "a role by another name": ("name would be fleet-deploy", made(ROLE, name="fleet-deploy")),
    "a role at another path": (
        f"path would be /fleet/host/{ONE}/",
        made(ROLE, path=f"/fleet/host/{ONE}/"),
    ),
    "a role without a boundary": (
        "permissions_boundary would be nothing known",
        made(ROLE, permissions_boundary=None),
    ),
    "a role's boundary is taken away": (
        "permissions_boundary would be nothing known",
        updated(ROLE, permissions_boundary=None),
    ),
    "a role with another boundary": (
        f"permissions_boundary would be {ADMIN}",
        made(ROLE, permissions_boundary=ADMIN),
    ),
    "a role that anybody may take": (
        "its assume_role_policy would be ",
        made(ROLE, assume_role_policy=TRUST.replace('{"Service":"ec2.amazonaws.com"}', '"*"')),
    ),
    "a role is given to another service": (
        "its assume_role_policy would be ",
        updated(ROLE, assume_role_policy=TRUST.replace("ec2.", "lambda.")),
    ),
    "a role whose trust can't be read": (
        "its assume_role_policy would be ",
        made(ROLE, assume_role_policy="{"),
    ),
    "a role whose trust is not known": (
        "its assume_role_policy would be nothing known",
        made(ROLE, assume_role_policy=None),
    ),
    "a role that is the neighbour's now": (
        f"what is there now is {NEIGHBOUR}",
        keyed(ROLE, TWO, "update", before={"id": NEIGHBOUR}),
    ),
    "a policy that is the neighbour's now": (
        f"what is there now is {NEIGHBOUR}:x",
        keyed(POLICY, TWO, "update", before={"id": f"{NEIGHBOUR}:x"}),
    ),
    "a profile without an id": (
        "what is there now is without an id",
        keyed(PROFILE, TWO, "update", before={}),
    ),
    "a name that is not known": (
        "its name would be known only afterwards",
        keyed(
            ROLE,
            TWO,
            "create",
            after=own(ROLE, TWO, name=None),
            after_unknown={"name": True},
        ),
    ),
}


@pytest.mark.parametrize(("why", "more"), NOT_ITS_OWN.values(), ids=NOT_ITS_OWN)
def test_what_is_keyed_by_an_instance_is_its_own_in_whichever_job(
    why: str, more: dict[str, Any]
) -> None:
    in_the_roll = rolled(plan(replaced(TWO), more), [TWO], NEW, SEEN, EXPECTATION)
    in_finish = finished(plan(more), SEEN, EXPECTATION)

    for found in (in_the_roll, in_finish):
        assert len(found) == 1, found
        assert why in found[0].why


HOST_NOT_ITS_OWN: dict[str, tuple[str, dict[str, Any]]] = {
    "the neighbour's name": (
        f'its tags would be {{"Name": "{ONE}"}} and not {{"Name": "{TWO}", ',
        moved(tags={"Name": ONE}),
    ),
    "a name that only ends like its own": (
        'its tags would be {"Name": "arn:aws:x:y:z:clawdinator-2"}',
        moved(tags={"Name": "arn:aws:x:y:z:clawdinator-2"}),
    ),
    "of another app": (
        'its tags_all would be {"app": "payroll"} and not {"Name"',
        moved(tags_all={"app": "payroll"}),
    ),
    "no name": ("its tags would be {} and not", moved(tags={})),
    "the neighbour's rights": (
        f"iam_instance_profile would be {NEIGHBOUR}",
        moved(iam_instance_profile=NEIGHBOUR),
    ),
    "no rights": (
        "iam_instance_profile would be nothing known",
        moved(iam_instance_profile=None),
    ),
    "metadata for whoever asks": (
        "metadata_options.http_tokens would be optional and not required",
        moved(metadata_options=[{**METADATA, "http_tokens": "optional"}]),
    ),
    "metadata as the account has it": (
        "its metadata_options would be [] and not",
        moved(metadata_options=[]),
    ),
    "metadata said twice": (
        "its metadata_options would be [{",
        moved(metadata_options=[METADATA, METADATA]),
    ),
}


@pytest.mark.parametrize(("why", "mine"), HOST_NOT_ITS_OWN.values(), ids=HOST_NOT_ITS_OWN)
def test_a_host_comes_back_as_itself(why: str, mine: dict[str, Any]) -> None:
    (found,) = rolled(plan(mine), [TWO], NEW, SEEN, EXPECTATION)

    assert why in found.why


def test_a_host_is_created_as_itself() -> None:
    another = host(THREE, "create", after=own(HOST, THREE, tags={"Name": ONE}))

    (found,) = rolled(plan(another), [THREE], NEW, SEEN, EXPECTATION)

    assert f'its tags would be {{"Name": "{ONE}"}}' in found.why


def without_its_role(id_: str, **unknown: bool) -> dict[str, Any]:
    after = own(POLICY, id_)
    del after["role"]
    return keyed(POLICY, id_, "create", after=after, after_unknown=unknown)


def test_a_policy_may_be_made_with_its_role_which_has_no_id_yet() -> None:
    new = plan(
        host(THREE, "create"),
        keyed(ROLE, THREE, "create"),
        keyed(PROFILE, THREE, "create"),
        without_its_role(THREE, role=True),
    )

    assert rolled(new, [THREE], NEW, SEEN, EXPECTATION) == ()


LATE: dict[str, list[dict[str, Any]]] = {
    "its role is there": [without_its_role(THREE, role=True)],
    "its role stays": [keyed(ROLE, THREE, "no-op"), without_its_role(THREE, role=True)],
    "another's role is made": [keyed(ROLE, TWO, "create"), without_its_role(THREE, role=True)],
    "it has no role": [keyed(ROLE, THREE, "create"), without_its_role(THREE)],
}


@pytest.mark.parametrize("changes", LATE.values(), ids=LATE)
def test_no_other_role_may_be_unknown(changes: list[dict[str, Any]]) -> None:
    whole = plan(host(THREE, "create"), replaced(TWO), *changes)

    (found,) = rolled(whole, [TWO, THREE], NEW, SEEN, EXPECTATION)

    assert f'{POLICY}["{THREE}"] would be created: its role would be ' in str(found)


def test_a_profile_names_its_role_at_once() -> None:
    late = keyed(
        PROFILE, TWO, "create", after=own(PROFILE, TWO, role=None), after_unknown={"role": True}
    )

    (found,) = rolled(
        plan(replaced(TWO), keyed(ROLE, TWO, "create"), late), [TWO], NEW, SEEN, EXPECTATION
    )

    assert "its role would be known only afterwards" in found.why


def test_what_left_takes_nothing_of_another_with_it() -> None:
    for resource in (ROLE, PROFILE, POLICY):
        going = keyed(resource, GONE, "delete", before={"id": NEIGHBOUR})
        (found,) = finished(plan(going), SEEN, EXPECTATION)
        assert found.why == f"what is there now is {NEIGHBOUR}, not {GONE}'s"


def test_what_left_may_go_whatever_was_done_to_it_by_hand() -> None:
    bare = keyed(ROLE, GONE, "delete", before={"id": f"{GONE}-host"})

    assert finished(plan(bare), SEEN, EXPECTATION) == ()


WORDS = (
    "ami",
    "tags",
    "tags_all",
    "app",
    "Name",
    "iam_instance_profile",
    "metadata_options",
    "http_tokens",
)
json = st.recursive(
    st.none() | st.booleans() | st.sampled_from([NEW, TWO, "required"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(json, json)
def test_no_shape_of_a_host_passes_for_one(after: object, unknown: object) -> None:
    # No shape here holds its profile's name.
    assert rolled(
        plan(replaced(TWO, after=after, after_unknown=unknown)), [TWO], NEW, SEEN, EXPECTATION
    )


CALLERS: dict[str, list[dict[str, Any]]] = {
    "its host": [replaced(ONE)],
    "its host, in place": [host(ONE, "update")],
    "its rights": [keyed(POLICY, ONE, "update")],
    "something new under its id": [keyed(ROLE, ONE, "create")],
    "what is shared, under its id": [keyed(GROUP, ONE, "update")],
    "what no plan may read": [keyed(ROLE, ONE, "read")],
    "what may only be read": [keyed("data.aws_iam_policy_document.instance", ONE, "create")],
}


@pytest.mark.parametrize("changes", CALLERS.values(), ids=CALLERS)
def test_nothing_of_the_caller_changes_in_whichever_job(changes: list[dict[str, Any]]) -> None:
    whole = plan(replaced(TWO), *changes)
    asked_for = rolled(whole, [TWO, ONE], NEW, SEEN, EXPECTATION, caller=ONE)
    rest = finished(plan(*changes), SEEN, EXPECTATION, caller=ONE)

    for found in (asked_for, rest):
        assert "no bot instance deploys itself" in found[0].why


def test_a_caller_that_left_the_registry_is_not_removed_either() -> None:
    (found,) = finished(plan(host(GONE, "delete")), SEEN, EXPECTATION, caller=GONE)

    assert "no bot instance deploys itself" in found.why


def test_the_callers_policy_may_be_read() -> None:
    late = keyed("data.aws_iam_policy_document.instance", ONE, "read")

    assert rolled(plan(replaced(TWO), late), [TWO], NEW, SEEN, EXPECTATION, caller=ONE) == ()
