"""One moto for all tests of a process, emptied and seeded anew for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from fleet_control.registry import Registry, parse
from sandbox.host_rules import Rules, Timing
from sandbox.image import SeededImage, images
from sandbox.moto import MotoServer, set_rules
from sandbox.seed import seed
from tests.clock import TurnedClock
from tests.sandbox.aws import MotoAws

REGISTRY = """{
  "clawdinator-1": {"host": "clawdinator-1", "instanceType": "t3.large",
    "bootstrapPrefix": "bootstrap/clawdinator-1", "discordTokenSecret": "token-1"},
  "clawdinator-2": {"host": "clawdinator-2", "instanceType": "t3.small",
    "bootstrapPrefix": "bootstrap/clawdinator-2", "discordTokenSecret": "token-2"}
}"""


@pytest.fixture(scope="session")
def our_images() -> tuple[SeededImage, ...]:
    return images(TurnedClock().now())


@pytest.fixture(scope="session")
def moto_process(our_images: tuple[SeededImage, ...], python: Path) -> Iterator[str]:
    server = MotoServer(our_images, python=python)
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture
async def moto(moto_process: str) -> str:
    async with aiohttp.ClientSession(moto_process, raise_for_status=True) as session:
        for path, data in (("/moto-api/reset", b""), ("/moto-api/reset-auth", b"inf")):
            async with session.post(path, data=data) as answer:
                await answer.read()
    await set_rules(moto_process, Rules())
    return moto_process


@pytest.fixture
def registry() -> Registry:
    return parse(REGISTRY)


@pytest.fixture
async def aws(
    moto: str, registry: Registry, our_images: tuple[SeededImage, ...]
) -> AsyncIterator[MotoAws]:
    """The seeded fleet, in a time that stands still."""
    seeded = await seed(moto, registry, our_images)
    timing = Timing(pending=2, initializing=4, shutting_down=3, answering=1)
    with MotoAws(moto, seeded, Rules(timing)) as aws:
        await aws.rule(stopped_at=TurnedClock().now())
        yield aws
