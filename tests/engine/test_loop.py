"""The whole loop with the real engine: what is typed in a chat replaces hosts."""

import asyncio
from pathlib import Path

import pytest

from fleet_control.host import HostState
from sandbox.engine import TofuEngine
from tests.engine.site import ONE, TWO
from tests.sandbox.full_loop import NEWEST, FullLoop, full_loop, write_registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO), **{TWO: "t3.xlarge"})
    return file


Fleet = dict[str, tuple[str, str, HostState]]


async def _deployed(outside: FullLoop) -> Fleet:
    """The fleet after a deploy of all: what each instance's host is, but for its id."""
    before = await asyncio.to_thread(outside.hosts)
    async with outside.bot() as bot:
        assert "Go ahead?" in await bot.say("/fleet deploy all")
        assert "✓ deploy all: done" in await bot.say("yes")
        assert "2 instances, 2 healthy\n" in await bot.say("/fleet status")
    after = await asyncio.to_thread(outside.hosts)
    assert not {host.id for host in before.values()} & {host.id for host in after.values()}
    return {name: (host.image, host.type, host.state) for name, host in after.items()}


async def test_both_engines_leave_the_same_fleet(engine: TofuEngine, registry: Path) -> None:
    async with full_loop(registry, engine=engine) as outside:
        by_the_real_one = await _deployed(outside)
    async with full_loop(registry) as outside:
        by_the_stand_in = await _deployed(outside)

    assert (
        by_the_real_one
        == by_the_stand_in
        == {
            ONE: (NEWEST, "t3.large", HostState.RUNNING),
            TWO: (NEWEST, "t3.xlarge", HostState.RUNNING),
        }
    )


async def test_a_host_that_never_becomes_healthy_stops_the_roll(
    engine: TofuEngine, registry: Path
) -> None:
    """At the first host; the chat names it, and the others still run what they ran."""
    options = {"engine": engine, "unhealthy": frozenset({ONE}), "health_deadline": 5.0}
    async with full_loop(registry, **options) as outside, outside.bot() as bot:
        before = await asyncio.to_thread(outside.hosts)
        assert "Go ahead?" in await bot.say("/fleet deploy all")
        said = await bot.say("yes")
        after = await asyncio.to_thread(outside.hosts)

    assert f"{ONE} was replaced but did not become healthy" in " ".join(said.split())
    assert before[TWO] == after[TWO]
    assert (before[ONE].image, after[ONE].image) == (before[TWO].image, NEWEST)
