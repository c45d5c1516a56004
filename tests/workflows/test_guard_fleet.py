"""What a fleet is made of, by which provider and from which data: nothing else is let through."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.plans import (
    EXPECTATION,
    GROUP,
    HOST,
    NEW,
    ROLE,
    SEEN,
    TWO,
    change,
    keyed,
    plan,
    replaced,
    shared,
)
from workflows.fleet_deploy.change import CHECK, DATA, IDENTITY, KEYED_DATA, OWN, SHARED
from workflows.fleet_deploy.guard import finished, rolled

PROVIDERS = {
    "of another name": "registry.example/evil/aws",
    "of another space": "registry.example/hashicorp/external",
    "that ends like it": "registry.example/nothashicorp/aws",
    "that runs programs": "registry.example/builtin/terraform",
}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_no_provider_but_the_clouds_own_moves_anything(provider: str) -> None:
    for more in (
        shared(GROUP, "update") | {"provider_name": provider},
        keyed(ROLE, TWO, "create", provider_name=provider),
        change("data.aws_partition.current", "read", provider_name=provider),
    ):
        for found in (
            rolled(plan(replaced(TWO), more), [TWO], NEW, SEEN, EXPECTATION),
            finished(plan(more), SEEN, EXPECTATION),
        ):
            assert [one.why for one in found] == [f"{provider} would do it, and not hashicorp/aws"]


def test_the_check_on_the_registry_is_no_providers_of_a_cloud() -> None:
    (found,) = finished(plan(change(CHECK, "create")), SEEN, EXPECTATION)

    assert found.why == "registry.example/hashicorp/aws would do it, and not builtin/terraform"


READ = [
    change("data.aws_partition.current", "read"),
    change("data.aws_caller_identity.current", "read"),
    keyed("data.aws_iam_policy_document.instance", TWO, "read"),
]
NOT_READ: dict[str, dict[str, Any]] = {
    "a program's answer": change("data.external.run", "read"),
    "a function's answer": change("data.aws_lambda_invocation.run", "read"),
    "hosts": change("data.aws_instance.look", "read"),
    "one by another name": change("data.aws_partition.other", "read"),
    "one in a module": change("module.x.data.aws_partition.current", "read"),
    "one more": change("data.aws_partition.current[1]", "read", index=1),
    "one keyed by an instance": keyed("data.aws_partition.current", TWO, "read"),
    "a policy without a key": change("data.aws_iam_policy_document.instance", "read"),
    "a policy of no instance": keyed("data.aws_iam_policy_document.instance", "all", "read"),
}


def test_what_a_fleet_reads_may_be_read_late() -> None:
    assert rolled(plan(replaced(TWO), *READ), [TWO], NEW, SEEN, EXPECTATION) == ()
    assert finished(plan(*READ), SEEN, EXPECTATION) == ()


@pytest.mark.parametrize("more", NOT_READ.values(), ids=NOT_READ)
def test_nothing_else_is_read(more: dict[str, Any]) -> None:
    for found in (
        rolled(plan(replaced(TWO), more), [TWO], NEW, SEEN, EXPECTATION),
        finished(plan(more), SEEN, EXPECTATION),
    ):
        assert [one.why for one in found] == ["no fleet reads such a thing"]


BLOCK = re.compile(r'^(resource|data) "(\w+)" "(\w+)" \{((?:.*\}$)|(?:\n(?!\}).*)*)', re.MULTILINE)
FLEET = Path(__file__).parents[2] / "tofu/fleet"
TEXT = "".join(path.read_text() for path in sorted(FLEET.glob("*.tf")))


def blocks(kind: str, *, by_instance: bool) -> dict[str, str]:
    return {
        f"{type_}.{name}": body
        for found, type_, name, body in BLOCK.findall(TEXT)
        if found == kind and ("for_each = local.registry" in body) == by_instance
    }


def test_the_lists_are_what_a_fleet_is_made_of() -> None:
    assert blocks("resource", by_instance=True).keys() == {HOST, *IDENTITY} == {*OWN}
    assert blocks("resource", by_instance=False).keys() == {*SHARED, CHECK}
    assert {f"data.{one}" for one in blocks("data", by_instance=False)} == {*DATA}
    assert {f"data.{one}" for one in blocks("data", by_instance=True)} == {KEYED_DATA}
