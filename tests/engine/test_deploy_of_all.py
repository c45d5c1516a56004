"""A deploy of all, with the real engine: every host, one after the other."""

import json
from typing import Any

from tests.engine.site import FOUR, NEW, OLDEST, ONE, THREE, TWO, EngineSite


def test_all_moves_every_host_one_after_the_other_and_removes_what_left(site: EngineSite) -> None:
    before = site.settles()
    site.registers(ONE, TWO, FOUR)

    seen = _rolls(site)
    after = site.runner.hosts()

    assert dict.fromkeys((ONE, TWO, FOUR), NEW) == {id_: image for id_, (_, image) in after.items()}
    old = {machine for machine, _ in before.values()}
    assert not {machine for machine, _ in after.values()} & old
    assert [{ONE, TWO, THREE}, {ONE, TWO, THREE}, {ONE, TWO, THREE, FOUR}, {ONE, TWO, FOUR}] == [
        set(hosts) for hosts in seen
    ]
    assert [sum(id_ not in old for id_, _ in hosts.values()) for hosts in seen] == [1, 2, 3, 3]
    assert f"Removed: `{THREE}`." in site.runner.summary
    assert not site.differs("fleet")


def test_all_moves_hosts_that_are_on_that_image_already(site: EngineSite) -> None:
    site.settles()
    site.registers(ONE)

    assert site.deploys(TARGET=ONE, AMI_OVERRIDE=OLDEST) == 0
    before = site.runner.hosts()
    assert site.deploys(TARGET="all", AMI_OVERRIDE=OLDEST) == 0
    after = site.runner.hosts()

    assert {ONE} == set(after)
    assert (before[ONE][0] != after[ONE][0], after[ONE][1]) == (True, OLDEST)


def test_all_is_done_beside_a_machine_that_the_state_does_not_know_and_names_it(
    site: EngineSite,
) -> None:
    site.settles()
    site.registers(ONE)
    foreign = site.runner.launches("old-claw")

    assert site.deploys(TARGET="all") == 0
    assert set(site.runner.hosts()) == {ONE, "old-claw"}
    assert f"Stays: old-claw ({foreign}), not in the registry" in site.runner.summary
    site.runner.ec2.terminate_instances(InstanceIds=[foreign])


def _rolls(site: EngineSite) -> list[dict[str, Any]]:
    """Deploy all; the hosts after each job that moved something."""
    assert site.runner.does("plan", TARGET="all") == 0
    handed = site.runner.handed
    seen = []
    for turn in json.loads(handed["ROLL"]):
        assert site.runner.does("host", TARGET="all", INSTANCE=turn["id"], **handed) == 0
        seen.append(site.runner.hosts())
    assert site.runner.does("finish", TARGET="all", **handed) == 0
    return [*seen, site.runner.hosts()]
