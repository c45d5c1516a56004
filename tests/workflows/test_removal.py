"""What a plan removes, and what it would only write off."""

from tests.workflows.plans import GONE, HOST, MACHINES, ONE, ROLE, TWO, change, host, keyed, plan
from workflows.fleet_deploy.removal import beyond, forgotten

LEFT = (
    host(GONE, "delete"),
    keyed(ROLE, GONE, "delete"),
    change("aws_vpc.fleet", "no-op"),
)


def found(*changes: object) -> list[str]:
    return [str(one) for one in beyond(plan(*changes), [GONE])]


def test_a_removal_of_what_is_in_the_way_is_no_violation() -> None:
    assert found(*LEFT) == []


def test_what_else_would_go_is() -> None:
    assert found(*LEFT, keyed(ROLE, "clawdinator-8", "delete"), {"address": "unreadable"}) == [
        'aws_iam_role.instance["clawdinator-8"] would be destroyed: only what is in the way was to '
        "go"
    ]


def test_a_removal_that_removes_nothing_is() -> None:
    stays = f'{HOST}["{GONE}"] would stay as it is: it was to be removed first'

    assert found() == found(host(GONE, "no-op")) == [stays]


def test_a_host_that_a_plan_of_everything_does_not_see_would_be_forgotten() -> None:
    whole = plan(host(ONE, "no-op"), host(GONE, "delete"), keyed(ROLE, TWO, "no-op"))
    known = {machine: id_ for id_, machine in MACHINES.items()}

    assert [str(one) for one in forgotten(whole, known)] == [
        f'{HOST}["{TWO}"] would be forgotten: EC2 shows {MACHINES[TWO]}, and not to OpenTofu'
    ]


def test_what_no_plan_is_forgets_all() -> None:
    assert len(forgotten(None, {"i-1": ONE})) == len(
        forgotten({"resource_changes": 3}, {"i-1": ONE})
    )
    assert forgotten(None, {}) == ()
