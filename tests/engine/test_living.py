"""With the real engine: what EC2 calls healthy is called what it is, host by host of one fleet."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.host_rules import SECRET, Behaviour, Rules, Timing
from sandbox.moto import set_rules
from tests.engine.site import NEW, ONE, THREE, TWO, EngineSite
from workflows.fleet_deploy.health_report import AGENT

SOON = {"FLEET_STEADY_SECONDS": "1", "FLEET_HEALTH_DEADLINE": "4"}


@contextmanager
def lives(site: EngineSite, instance: str, way: Behaviour, **timing: float) -> Iterator[None]:
    """The next host of that instance lives so."""
    asyncio.run(set_rules(site.url, Rules(Timing(**timing), ways={instance: way})))
    try:
        yield
    finally:
        asyncio.run(set_rules(site.url, Rules()))


@pytest.fixture(scope="module")
def fleet(site: EngineSite) -> EngineSite:
    site.settles()
    return site


@pytest.mark.parametrize(
    ("way", "why"),
    [
        (Behaviour.AGENT_DIES, f"{AGENT} is active for 0 of 1 seconds (running, restarted "),
        (Behaviour.BOT_DIES, "clawbot.service is active for 0 of 1 seconds (running, restarted "),
        (Behaviour.OTHER_REVISION, "runs bbbbbbb and not "),
        (Behaviour.OTHER_NAME, "says that it is another"),
        (Behaviour.GARBAGE, "answered what can't be read"),
        (Behaviour.FLOOD, "answered with 24000 characters, where 20000 are the most"),
        (Behaviour.LATE, "its SSM agent does not answer yet"),
    ],
)
def test_a_host_that_does_not_live_fails_and_is_called_what_it_is(
    fleet: EngineSite, way: Behaviour, why: str
) -> None:
    before = fleet.runner.hosts()
    with lives(fleet, TWO, way, lasting=0.2, late=3600):
        code = fleet.deploys(TARGET=TWO, **SOON)

    assert code == 1
    after = fleet.runner.hosts()
    assert before | {TWO: after[TWO]} == after
    assert f"{TWO} was replaced but did not become healthy within 4 s: {TWO} (" in (
        fleet.runner.summary
    )
    assert f"({after[TWO][0]}): {why}" in fleet.runner.summary
    assert SECRET not in fleet.runner.summary


@pytest.mark.parametrize("way", [Behaviour.NO_BOT, Behaviour.AGENT_DIES_ONCE])
def test_one_that_lives_is_healthy_and_what_it_went_through_is_told(
    fleet: EngineSite, way: Behaviour, capfd: pytest.CaptureFixture[str]
) -> None:
    with lives(fleet, TWO, way, lasting=0.5):
        code = fleet.deploys(TARGET=TWO, **SOON | {"FLEET_HEALTH_DEADLINE": "20"})

    assert code == 0, fleet.runner.summary
    said = f"{TWO} is healthy, and on the way {AGENT} restarted once."
    assert (said in capfd.readouterr().out) == (way is Behaviour.AGENT_DIES_ONCE)


def test_a_roll_stops_at_a_bot_that_keeps_dying_and_later_hosts_keep_what_they_ran(
    fleet: EngineSite,
) -> None:
    before = fleet.settles()
    with lives(fleet, TWO, Behaviour.BOT_DIES, lasting=0.2):
        code = fleet.deploys(TARGET="all", **SOON)

    assert code == 1
    after = fleet.runner.hosts()
    assert (after[ONE][1], after[TWO][1]) == (NEW, NEW)
    assert before[THREE] == after[THREE]
