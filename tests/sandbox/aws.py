"""The sandbox's AWS as a test holds it: real boto3 before our moto."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from sandbox.seed import Seeded

_ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


class MotoAws:
    """
    Attributes:
        rules: how hosts live there now.
    """

    def __init__(self, url: str, seeded: Seeded, rules: Rules) -> None:
        self.url = url
        self.seeded = seeded
        self.rules = rules
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()

    async def rule(self, **changed: Any) -> None:
        self.rules = replace(self.rules, **changed)
        await set_rules(self.url, self.rules)

    async def turn(self, seconds: float) -> None:
        """Move on the time that stands still."""
        await self.rule(stopped_at=self.rules.now() + seconds)

    def client(self, service: str) -> Any:
        """A client with the deployer's key, kept for the test."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]  # of no service in particular
                region_name=self.seeded.region,
                aws_access_key_id=self.seeded.deployer.access_key,
                aws_secret_access_key=self.seeded.deployer.secret_key,
                endpoint_url=self.url,
                config=_ONCE,
            )
        return self._clients[service]

    async def ask(self, service: str, operation: str, **arguments: Any) -> Any:
        """One call, off the loop."""
        return await asyncio.to_thread(getattr(self.client(service), operation), **arguments)

    async def launch(self, name: str, image: str = "ami-03c1a3d1000000003") -> str:
        """A new host of the fleet; its id."""
        answer = await self.ask(
            "ec2",
            "run_instances",
            ImageId=image,
            InstanceType="t3.large",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [
                        {"Key": "app", "Value": "clawdinator"},
                        {"Key": "Name", "Value": name},
                    ],
                }
            ],
        )
        return str(answer["Instances"][0]["InstanceId"])

    async def terminate(self, id_: str) -> Mapping[str, str]:
        """The states of a host before and after."""
        answer = await self.ask("ec2", "terminate_instances", InstanceIds=[id_])
        one = answer["TerminatingInstances"][0]
        return {"before": one["PreviousState"]["Name"], "after": one["CurrentState"]["Name"]}

    async def hosts(self, **arguments: Any) -> dict[str, dict[str, Any]]:
        """DescribeInstances, by id."""
        answer = await self.ask("ec2", "describe_instances", **arguments)
        return {
            one["InstanceId"]: one
            for reservation in answer["Reservations"]
            for one in reservation["Instances"]
        }

    async def states(self, **arguments: Any) -> dict[str, str]:
        return {id_: one["State"]["Name"] for id_, one in (await self.hosts(**arguments)).items()}

    async def checks(self, **arguments: Any) -> dict[str, str]:
        """DescribeInstanceStatus: the hosts' own checks, by id."""
        answer = await self.ask("ec2", "describe_instance_status", **arguments)
        return {
            one["InstanceId"]: one["InstanceStatus"]["Status"] for one in answer["InstanceStatuses"]
        }
