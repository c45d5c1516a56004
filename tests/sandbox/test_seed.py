"""The fleet that is seeded before the first command."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from fleet_control import ec2, machine
from fleet_control.registry import Registry, parse
from sandbox.image import SeededImage, images
from sandbox.seed import Seeded, seed

FIVE_HUNDRED = json.dumps(
    {
        f"bot-{n}": {
            "host": f"bot-{n}",
            "instanceType": "t3.large",
            "bootstrapPrefix": f"bootstrap/bot-{n}",
            "discordTokenSecret": f"token-{n}",
        }
        for n in range(500)
    }
)


@pytest.fixture
async def seeded(moto: str, registry: Registry, our_images: tuple[SeededImage, ...]) -> Seeded:
    return await seed(moto, registry, our_images)


class Clients:
    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[Any] = []

    def __call__(self, service: str, access_key: str = "any", secret_key: str = "any") -> Any:  # noqa: S107  (no secret)
        client = boto3.client(
            service,  # type: ignore[call-overload]  # of no service in particular
            region_name="eu-central-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            endpoint_url=self._url,
            config=Config(s3={"addressing_style": "path"}),
        )
        self._made.append(client)
        return client

    def close(self) -> None:
        for client in self._made:
            client.close()


@pytest.fixture
def client(moto: str) -> Iterator[Clients]:
    clients = Clients(moto)
    yield clients
    clients.close()


def test_the_three_images_are_of_different_age_and_the_same_every_time() -> None:
    first = images(1_790_000_000)

    assert first == images(1_790_000_000)
    assert sorted(first, key=lambda image: image.created) == list(first)
    assert len({image.id for image in first}) == len({image.created for image in first}) == 3
    assert all(image.created < 1_790_000_000 for image in first)


async def test_the_fleet_runs_on_older_images_than_the_newest(
    seeded: Seeded, registry: Registry, client: Clients
) -> None:
    reading = ec2.read(client("ec2"), 1_790_000_000)

    assert [host.name for host in reading.hosts] == list(registry)
    assert [host.type for host in reading.hosts] == ["t3.large", "t3.small"]
    assert {str(host.state) for host in reading.hosts} == {"running"}
    assert {str(host.health) for host in reading.hosts} == {"ok"}
    newest, *older = (image.id for image in reading.images)
    assert [host.image for host in reading.hosts] == older
    assert {image.id: image.created for image in reading.images} == {
        image.id: image.created for image in seeded.images
    }
    assert newest == seeded.images[-1].id
    assert [(host.id, host.launched) for host in reading.hosts] == [
        (host.id, host.launched) for host in seeded.hosts
    ]


async def test_every_instance_has_an_agents_key_and_a_chats_key(
    seeded: Seeded, registry: Registry
) -> None:
    assert list(seeded.agents) == list(registry)
    assert list(seeded.chats) == [*registry, "demo"]
    account = "arn:aws:iam::123456789012:user"
    agent, chat = seeded.agents["clawdinator-1"], seeded.chats["demo"]
    assert agent.arn == f"{account}/fleet/agent/clawdinator-1/clawdinator-1-agent"
    assert chat.arn == f"{account}/fleet/chat/demo/demo-chat"
    assert [one.may_invoke for one in (agent, chat, seeded.operator)] == [True, True, True]
    assert [one.may_invoke for one in (seeded.deployer, seeded.function)] == [False, False]
    assert len({one.access_key for one in seeded.principals}) == len(seeded.principals) == 8
    assert agent.secret_key not in repr(seeded)


async def test_iam_knows_the_same_users_by_the_same_keys(seeded: Seeded, client: Clients) -> None:
    agent = seeded.agents["clawdinator-2"]

    who = client("sts", agent.access_key, agent.secret_key).get_caller_identity()

    assert (who["Arn"], who["UserId"]) == (agent.arn, agent.user_id)
    assert agent.user_id.startswith("AIDA")


async def test_there_is_a_place_for_states_and_the_question_to_a_host(
    seeded: Seeded, client: Clients
) -> None:
    buckets = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    table = client("dynamodb").describe_table(TableName=seeded.lock_table)["Table"]
    document = client("ssm").describe_document(Name=seeded.document)["Document"]

    assert sorted(buckets) == sorted([seeded.state_bucket, seeded.bootstrap_bucket])
    assert table["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert (document["DocumentType"], document.get("Parameters", [])) == ("Command", [])


async def test_five_hundred_instances_are_seeded_too(
    moto: str, our_images: tuple[SeededImage, ...], client: Clients
) -> None:
    seeded = await seed(moto, parse(FIVE_HUNDRED), our_images)

    machines = await asyncio.to_thread(machine.describe_machines, client("ec2"))
    assert len(seeded.agents) == len(machines) == 500
