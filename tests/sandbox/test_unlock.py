"""A lock that a run is asked to break, from the chat to the table."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3

from sandbox.sandbox import Sandbox
from sandbox.seed import LOCK_TABLE, STATE_BUCKET
from tests.sandbox.full_loop import full_loop, write_registry

ID = "11111111-2222-3333-4444-555555555555"
KEY = {"LockID": {"S": f"{STATE_BUCKET}/fleet.tfstate"}}
HELD = {"ID": ID, "Who": "sam@laptop", "Created": "2026-11-24T08:00:00Z", "Path": "x"}


def dynamodb(sandbox: Sandbox) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=sandbox.aws_url,
        region_name="eu-central-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
    )


async def test_a_lock_is_broken_from_the_chat_and_nothing_else_is_done(
    tmp_path: Path, python: Path
) -> None:
    registry = tmp_path / "instances.json"
    write_registry(registry, ("clawdinator-1", "clawdinator-2"))
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        with closing(dynamodb(outside.sandbox)) as table:
            item = {**KEY, "Info": {"S": json.dumps(HELD)}}
            await asyncio.to_thread(table.put_item, TableName=LOCK_TABLE, Item=item)
            before = await asyncio.to_thread(outside.machines)

            question = " ".join((await bot.say("/fleet unlock")).split())
            said = await bot.say("yes")

            after = await asyncio.to_thread(table.get_item, TableName=LOCK_TABLE, Key=KEY)
        (run,) = outside.sandbox.github.runner.runs

        assert "sam@laptop holds the lock on the state since 2026-11-24 08:00 UTC" in question
        assert "✓ unlock the state: unlocked" in said
        assert "Item" not in after
        assert [job.conclusion for job in run.jobs] == ["success", "skipped", "skipped"]
        assert before == await asyncio.to_thread(outside.machines)
