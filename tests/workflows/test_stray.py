"""Hosts that the state forgot."""

from typing import Any

import pytest

from tests.workflows.plans import plan
from workflows.fleet_deploy.stray import strays

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
