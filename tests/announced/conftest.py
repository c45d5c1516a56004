"""Three bots, and the table that they share."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import boto3
import pytest

from sandbox.moto import MotoServer
from sandbox.principal import REGION
from tests.announced.three_bots import ThreeBots
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.lambda_fn.role import TABLE


@pytest.fixture(autouse=True)
def _times_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns of each RetryAfter otherwise, whether or not anybody reads its time."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture(scope="session")
def table() -> Iterator[str]:
    """An AWS with an empty control table, in a process of its own."""
    aws = MotoServer(())
    url = asyncio.run(aws.start())
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AK",
        aws_secret_access_key="secret",
    )
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()
    yield url
    asyncio.run(aws.stop())


@pytest.fixture
async def bots(ec2: FakeEc2, table: str) -> AsyncIterator[ThreeBots]:
    """Nobody serves yet."""
    ec2.forget()
    async with ThreeBots(TurnedClock(), ec2, table) as bots:
        yield bots
    assert bots.discord.problems == []
