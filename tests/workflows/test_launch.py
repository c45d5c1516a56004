"""What a plan would launch, read from it as the engine shows it."""

from typing import Any

import pytest

from tests.workflows.plans import (
    HOST,
    NEW,
    ONE,
    OWN_TYPE,
    PROFILE,
    REVISION,
    TWO,
    host,
    keyed,
    own,
    plan,
    without,
)
from workflows.fleet_deploy.launch import Launch, launches
from workflows.fleet_deploy.stopped import Stopped

AFTER = own(
    HOST,
    TWO,
    subnet_id="subnet-1",
    vpc_security_group_ids=["sg-1"],
    root_block_device=[{"encrypted": True, "volume_size": 60, "volume_type": "gp3"}],
)


def read(*changes: object) -> Launch:
    (launch,) = launches(plan(*changes), [TWO])
    return launch


def test_a_replacement_is_read_whole() -> None:
    changes = (
        host(ONE, "no-op"),
        keyed(PROFILE, TWO, "no-op"),
        host(TWO, "delete", "create", after=AFTER, before={"id": "i-00000002"}),
    )

    assert read(*changes) == Launch(
        id=TWO,
        image=NEW,
        type=OWN_TYPE,
        replaces="i-00000002",
        subnet="subnet-1",
        groups=("sg-1",),
        disk=60,
        encrypted=True,
        profile=f"{TWO}-host",
        tags={"Name": TWO, "app": "clawdinator", "revision": REVISION},
        placed=True,
    )


def test_a_profile_that_is_made_with_the_host_is_none_yet() -> None:
    launch = read(keyed(PROFILE, TWO, "create"), host(TWO, "create", after=AFTER))

    assert (launch.profile, launch.replaces) == ("", "")


@pytest.mark.parametrize(
    ("unknown", "placed"),
    [
        ({"subnet_id": True}, False),
        ({"vpc_security_group_ids": True}, False),
        ({"vpc_security_group_ids": [True]}, False),
        ({"id": True, "vpc_security_group_ids": [False]}, True),
    ],
)
def test_where_the_network_is_made_with_it_nobody_knows_its_place(
    unknown: dict[str, object], placed: bool
) -> None:
    after = {key: one for key, one in AFTER.items() if not unknown.get(key)}

    launch = read(host(TWO, "create", after=after, after_unknown=unknown))

    assert launch.placed is placed


def test_an_engine_that_names_no_network_and_no_disk_asks_for_none() -> None:
    bare = without(HOST, TWO, "subnet_id", "vpc_security_group_ids", "root_block_device")
    launch = read(host(TWO, "create", after=bare))

    assert (launch.subnet, launch.groups, launch.disk, launch.placed) == ("", (), None, True)


@pytest.mark.parametrize("lacking", ["ami", "instance_type"])
def test_a_plan_that_does_not_say_what_it_launches_stops_the_run(lacking: str) -> None:
    after: dict[str, Any] = {key: one for key, one in AFTER.items() if key != lacking}

    with pytest.raises(Stopped, match=f"does not say what it would launch for {TWO}"):
        read(host(TWO, "create", after=after))
