"""Hosts that the state forgot, and what only looks like one."""

from typing import Any

import pytest

from fleet_control.host import HostState
from fleet_control.ledger import Entry, Job, Run, Step
from fleet_control.run_row import read_run
from tests.workflows.conftest import iso
from tests.workflows.fleets import NEW, NOW, OLD, host, view
from tests.workflows.loopback import raw_run
from tests.workflows.plans import AWS, plan
from workflows.fleet_deploy.forgotten_host import strays, unlike, unmade

MACHINES = {"clawdinator-1": "i-0000000000000000a", "clawdinator-2": "i-0000000000000000b"}


def change(address: str, *actions: str) -> dict[str, Any]:
    resource, _, key = address.partition("[")
    type_, name = resource.split(".")
    index = {"index": key.strip('"]')} if key else {}
    return {
        "address": address,
        "mode": "managed",
        "type": type_,
        "name": name,
        "provider_name": AWS,
        **index,
        "change": {"actions": list(actions)},
    }


TWO = change('aws_instance.clawdinator["clawdinator-2"]', "create")


def test_a_host_that_is_there_and_would_be_made_again_was_forgotten() -> None:
    one = change('aws_instance.clawdinator["clawdinator-1"]', "delete", "create")

    assert strays(plan(one, TWO), ["clawdinator-1", "clawdinator-2"], MACHINES) == {
        "clawdinator-2": "i-0000000000000000b"
    }


def test_one_that_is_not_there_was_not() -> None:
    assert strays(plan(TWO), ["clawdinator-2"], {}) == {}


@pytest.mark.parametrize(
    "beside",
    [
        change("aws_vpc.fleet", "create"),
        change('aws_iam_role.instance["clawdinator-2"]', "create"),
        change('aws_instance.clawdinator["clawdinator-3"]', "create"),
        {"address": "strange"},
    ],
)
def test_where_more_would_be_made_another_state_is_read(beside: dict[str, Any]) -> None:
    assert strays(plan(TWO, beside), ["clawdinator-2"], MACHINES) == {}


@pytest.mark.parametrize("shown", [None, [], {}, {"resource_changes": 3}])
def test_what_is_no_plan_names_none(shown: object) -> None:
    assert strays(shown, ["clawdinator-2"], MACHINES) == {}


ID = "clawdinator-2"
PROFILE = f"arn:aws:iam::123456789012:instance-profile/fleet/host/{ID}/{ID}-host"
LAUNCHED = NOW - 7200
OURS = host(ID, 2, launched=LAUNCHED, profile=PROFILE)


def found(*hosts: Any, ours: frozenset[str] = frozenset({NEW, OLD})) -> str:
    return unlike(view([ID], *hosts).there[ID], ours)


@pytest.mark.parametrize("state", [HostState.PENDING, HostState.RUNNING, HostState.STOPPED])
def test_a_machine_as_a_deploy_makes_it_is_like_one(state: HostState) -> None:
    assert not found(host(ID, 2, profile=PROFILE, state=state))


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ("", "it has no profile"),
        (PROFILE.replace("clawdinator-2", "clawdinator-1"), "is not clawdinator-2-host"),
        (PROFILE.replace(f"host/{ID}/", "host/clawdinator-1/"), "is not clawdinator-2-host"),
        (PROFILE.replace("/fleet/host/clawdinator-2", ""), "is not clawdinator-2-host"),
        (PROFILE.replace(":instance", ":instance-profile/x:instance"), "is not clawdinator-2-host"),
        (PROFILE + "s", "is not clawdinator-2-host"),
    ],
    ids=["none", "another's", "another's path", "no path", "a path that ends like it", "longer"],
)
def test_only_the_hosts_own_profile_is_like_it(profile: str, why: str) -> None:
    assert why in found(host(ID, 2, profile=profile))


def test_another_image_is_not_like_it() -> None:
    assert found(OURS, ours=frozenset({NEW})) == f"its image {OLD} is none of ours"


def test_of_two_neither_is_taken() -> None:
    other = host(ID, 3, launched=LAUNCHED, profile=PROFILE)

    assert found(OURS, other) == "it is not the only one of that name"


def test_one_that_is_only_called_so_by_its_id_is_not_like_it() -> None:
    """What has no Name is shown by its machine's id, which an entry of the registry can be, too."""
    nameless = host("", 2, profile=PROFILE)

    row = view([nameless.id], nameless).there[nameless.id]
    assert unlike(row, frozenset({OLD})) == "its Name is ''"


def test_one_that_is_gone_is_not_like_it() -> None:
    assert found() == "it is gone"


def deploy(id_: int, *, created: float, ended: float, status: str = "completed") -> Run:
    raw = raw_run(id_, Entry(target=ID), status=status, moment=iso(created))
    return read_run(raw | {"updated_at": iso(ended), "run_started_at": iso(ended)})


def made(began: float, ended: float, name: str = f"{ID}: none -> {OLD}", **more: Any) -> Job:
    """A host's job that failed; moments are seconds before and after the launch."""
    moments = iso(LAUNCHED + began), iso(LAUNCHED + ended)
    return Job(name, "completed", "failure", *moments)._replace(**more)


KILLED = deploy(7, created=LAUNCHED - 600, ended=LAUNCHED + 60)


def unmade_by(*jobs: Job, run: Run = KILLED) -> str:
    return unmade(OURS, [run], lambda id_: jobs if id_ == run.id else ())


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out"])
def test_a_hosts_job_that_did_not_end_well_may_have_made_it(conclusion: str) -> None:
    step = Step("Replace and wait until healthy", "completed", conclusion)

    assert not unmade_by(made(-60, 5, conclusion=conclusion, steps=(step,)))


def test_a_run_is_looked_into_from_when_it_was_asked_for() -> None:
    """A re-run moves the time at which it started past the launch."""
    assert KILLED.started == KILLED.updated
    assert not unmade_by(made(-60, 5))


def test_a_run_that_the_list_still_shows_at_work_is_looked_into() -> None:
    lagging = deploy(7, created=LAUNCHED - 600, ended=LAUNCHED - 300, status="in_progress")

    assert not unmade_by(made(-60, 5), run=lagging)


@pytest.mark.parametrize(
    "job",
    [
        made(-60, -1),
        made(1, 60),
        made(-60, 5, name=f"clawdinator-20: none -> {OLD}"),
        made(-60, 5, name=f"{ID}: none -> {NEW}"),
        made(-60, 5, name=f"{ID}"),
        made(-60, 5, conclusion="success"),
        made(-60, 5, conclusion="skipped"),
        made(-60, 5, conclusion="cancelled"),
        made(-60, 5, conclusion=None, completed_at=None, status="in_progress"),
        made(-60, 5, started_at=None),
        made(-60, 5, name="plan"),
    ],
    ids=[
        "over before",
        "begun later",
        "of another host",
        "for another image",
        "that names no image",
        "that ended well",
        "that was skipped",
        "that never began",
        "that is at work",
        "that never started",
        "of no host",
    ],
)
def test_no_other_job_has(job: Job) -> None:
    assert unmade_by(job).endswith(" UTC, in no deploy's job for it")


def test_a_run_that_was_over_before_is_not_asked_about() -> None:
    before = deploy(7, created=LAUNCHED - 600, ended=LAUNCHED - 60)

    assert unmade_by(made(-60, 5), run=before)
    assert unmade_by(made(-60, 5), run=deploy(7, created=LAUNCHED + 1, ended=LAUNCHED + 60))
