"""Deploys that must fail, through the whole sandbox: no host goes, no second one comes, and the
reply says what to do."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import boto3
import pytest

from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from tests.sandbox.full_loop import (
    NEWEST,
    SWIFT,
    BotRun,
    FullLoop,
    entry,
    full_loop,
    write_registry,
)

ONE, TWO, RENAMED = "clawdinator-1", "clawdinator-2", "clawdinator-two"
# A run looks again for so long; a sandbox that is there to fail needs no more.
SOON = 1.0


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    return file


def remove(outside: FullLoop, image: str) -> None:
    key = outside.sandbox.seeded.deployer
    ec2 = boto3.client(
        "ec2",
        endpoint_url=outside.sandbox.aws_url,
        region_name="eu-central-1",
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
    )
    ec2.deregister_image(ImageId=image)
    ec2.close()


def rename(registry: Path) -> None:
    registry.write_text(json.dumps({ONE: entry(ONE), RENAMED: entry(TWO)}))


async def machines(outside: FullLoop) -> dict[str, str]:
    """Every machine that stays, and whose host it is."""
    return await asyncio.to_thread(outside.machines)


async def blind(outside: FullLoop, *keys: str) -> None:
    """To whom EC2 shows no host from now on."""
    await set_rules(outside.sandbox.aws_url, Rules(SWIFT, blind=keys))


async def between_plan_and_host(
    outside: FullLoop, bot: BotRun, target: str, meanwhile: Callable[[], Awaitable[object]]
) -> str:
    """Deploy, and do that once `plan` is over; what is said."""
    github = outside.sandbox.github
    earlier = len(github.runner.runs)
    saying = asyncio.create_task(bot.say(f"/fleet deploy {target}"))
    await github.runner.context.changes.until(lambda: len(github.runner.runs) > earlier)
    async with outside.stopped_at(lambda run: run.jobs[0].ended):
        await meanwhile()
    return await saying


async def test_what_could_not_start_ends_no_host(registry: Path, python: Path) -> None:
    """A type that is misspelt; then an image that is removed between `plan` and the host's turn."""
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        before = await machines(outside)
        write_registry(registry, (ONE, TWO), **{TWO: "t3.lagre"})

        said = " ".join((await bot.say(f"/fleet deploy {TWO}")).split())
        assert f"Nothing was touched: {TWO} would not start: eu-central-1a offers no" in said
        assert "did you mean t3.large? Write a type that it offers into nix/instances.json." in said
        assert await machines(outside) == before

        write_registry(registry, (ONE, TWO))
        said = await between_plan_and_host(
            outside, bot, TWO, lambda: asyncio.to_thread(remove, outside, NEWEST)
        )
        assert f"{TWO} was not touched: {NEWEST} is not, or not any more, an available" in said
        assert "deploy the newest, or name another" in " ".join(said.split())
        assert await machines(outside) == before
        assert f"✓ deploy {TWO}: done" in await bot.say(f"/fleet deploy {TWO}")


async def test_ec2_that_shows_nothing_to_plan_or_to_a_hosts_job(
    registry: Path, python: Path
) -> None:
    async with (
        full_loop(registry, python=python, health_deadline=SOON) as outside,
        outside.bot() as bot,
    ):
        before = await machines(outside)
        key = outside.sandbox.seeded.deployer.access_key

        await blind(outside, key)
        for asked in ([f"/fleet deploy {TWO}"], ["/fleet deploy all", "yes"]):
            said = " ".join((await bot.say(*asked)).split())
            assert "Nothing was touched: EC2 does not list i-" in said
            assert "Deploy again in a few minutes." in said
        await blind(outside)
        assert await machines(outside) == before

        said = " ".join(
            (await between_plan_and_host(outside, bot, TWO, lambda: blind(outside, key))).split()
        )
        assert f"{TWO} was not touched: EC2 does not list i-" in said
        assert f"Not shown by EC2: {TWO}." in said
        await blind(outside)
        assert await machines(outside) == before


async def test_ec2_that_shows_nothing_to_the_bot(registry: Path, python: Path) -> None:
    """One that has just started knows of no host and believes the list; later it calls none that it
    has seen missing. The run sees them all, and makes no second one."""
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        before = await machines(outside)
        key = outside.sandbox.seeded.chats["demo"].access_key
        await blind(outside, key)
        assert "2 instances, 0 healthy, 2 missing" in await bot.say("/fleet status")
        assert f"✓ deploy {TWO}: done" in await bot.say(f"{ONE}: /fleet deploy {TWO}")

        await blind(outside)
        outside.clock.ahead += 3
        assert "2 instances, 2 healthy" in await bot.say("/fleet status")
        await blind(outside, key)
        outside.clock.ahead += 3
        said = " ".join((await bot.say("/fleet status")).split())
        assert "any longer, and does not say that it is gone. Look again in a minute." in said
        assert "missing" not in said
        assert f"✓ deploy {TWO}: done" in await bot.say(f"/fleet deploy {TWO}")

        after = await machines(outside)
        assert sorted(after.values()) == [ONE, TWO]
        assert {id_ for id_, name in before.items() if name == ONE} <= after.keys()


async def test_an_instance_that_is_renamed(registry: Path, python: Path) -> None:
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        before = await machines(outside)
        await bot.say("/fleet status")
        rename(registry)
        outside.clock.ahead += 61

        said = " ".join((await bot.say(f"/fleet deploy {RENAMED}")).split())
        assert f"Nothing was touched: {RENAMED} is not made while i-" in said
        assert f"both would have the token {TWO}-token. It left the registry: a deploy" in said
        assert await machines(outside) == before

        assert f"✓ deploy {ONE}: done" in await bot.say(f"/fleet deploy {ONE}")
        assert sorted((await machines(outside)).values()) == [ONE, TWO]

        said = await bot.say("/fleet deploy all", "yes")
        assert "✓ deploy all: done" in said
        assert sorted((await machines(outside)).values()) == [ONE, RENAMED]
