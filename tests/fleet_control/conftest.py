"""moto's server, once for all tests of a process."""

import asyncio
from collections.abc import Iterator

import pytest

from clawbot.sandbox.image import images
from clawbot.sandbox.moto import MotoServer
from tests.fleet_control.fleets import NOW


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = MotoServer(images(NOW))
    try:
        yield asyncio.run(server.start())
    finally:
        asyncio.run(server.stop())
