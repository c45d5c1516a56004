"""scripts/fleet-control.sh on a host of clawdinator-1, against the sandbox."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import pytest_asyncio

from fleet_control.command import ExitCode
from sandbox.sandbox import CHECKOUT, Sandbox, SandboxOptions, open_sandbox
from sandbox.seed import CONTROL_TABLE

SCRIPT = CHECKOUT / "skills/fleet_control/scripts/fleet-control.sh"
ME, OTHER = "clawdinator-1", "clawdinator-2"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class ScriptEnd:
    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class ScriptHost:
    root: Path
    sandbox: Sandbox
    python: Path

    async def types(self, *words: str, **environ: str) -> ScriptEnd:
        process = await asyncio.create_subprocess_exec(
            str(SCRIPT),
            *words,
            env={
                "PATH": f"{self.python.parent}:{os.defpath}",
                "FLEET_CONTROL_ROOT": str(self.root),
                "FLEET_CONTROL_EC2_URL": self.sandbox.aws_url,
                "FLEET_CONTROL_POLL_SECONDS": "1",
                **environ,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return ScriptEnd(process.returncode or 0, out.decode(), err.decode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory, python: Path) -> AsyncIterator[ScriptHost]:
    root = tmp_path_factory.mktemp("root")
    async with open_sandbox(SandboxOptions(python=python)) as sandbox:
        key = sandbox.seeded.agents[ME]
        for place, text in {
            "etc/clawdinator/instance": ME,
            "etc/clawdinator/region": "eu-central-1",
            "etc/clawdinator/control-api-url": sandbox.control_api_url,
            "run/agenix/clawdinator-control-token": sandbox.token,
            "run/agenix/clawdinator-control-aws-access-key-id": key.access_key,
            "run/agenix/clawdinator-control-aws-secret-access-key": key.secret_key,
        }.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(f"{text}\n")
        yield ScriptHost(root, sandbox, python)


@pytest.fixture(autouse=True)
def forgotten_reads(host: ScriptHost) -> None:
    """A host may read twenty times a minute: what the test before read counts for no other."""
    table = boto3.client(
        "dynamodb",
        endpoint_url=host.sandbox.aws_url,
        region_name=host.sandbox.seeded.region,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    with closing(table):
        for item in table.scan(TableName=CONTROL_TABLE)["Items"]:
            if item["pk"]["S"].startswith("reads#"):
                table.delete_item(TableName=CONTROL_TABLE, Key={"pk": item["pk"]})


async def test_status_is_a_table_for_people_and_json_for_agents(host: ScriptHost) -> None:
    table, parsed = await asyncio.gather(host.types("status"), host.types("status", "--json"))

    assert (table.code, parsed.code) == (0, 0)
    assert {ME, OTHER} <= set(table.out.split())
    assert {one["id"] for one in parsed.answer["instances"]} == {ME, OTHER}


@pytest.mark.newest
async def test_the_other_host_is_replaced_and_waited_for(host: ScriptHost) -> None:
    asked = await host.types("deploy", OTHER, "--json")
    assert (asked.code, asked.err) == (0, "")

    ended = await host.types("wait", str(asked.answer["run"]["id"]))

    assert ended.code == ExitCode.OK
    assert "success" in ended.out


REFUSED = {
    (ME,): (ExitCode.REFUSED, "self_deploy"),
    ("all",): (ExitCode.REFUSED, "self_deploy"),
    (): (ExitCode.USAGE, "usage"),
    ("clawdinator-9",): (ExitCode.REFUSED, "unknown_target"),
    (OTHER, "ami-0000000000000bad0"): (ExitCode.REFUSED, "unknown_image"),
}


async def test_what_the_policy_refuses_is_refused_before_anything_is_dispatched(
    host: ScriptHost,
) -> None:
    asked = host.sandbox.control_api.invocations
    before = len(asked)

    ended = await asyncio.gather(*(host.types("deploy", *words, "--json") for words in REFUSED))

    said = [(one.code, one.answer["code"]) for one in ended]
    assert dict(zip(REFUSED, said, strict=True)) == REFUSED
    assert "deploy" not in [one.action for one in asked[before:]]


async def test_it_speaks_as_this_host_whatever_is_exported(host: ScriptHost) -> None:
    exported = {
        "FLEET_CONTROL_INSTANCE": OTHER,
        "FLEET_CONTROL_TOKEN": "mine",
        "FLEET_CONTROL_API_URL": "http://127.0.0.1:9/",
        "FLEET_CONTROL_REGION": "us-east-1",
    }

    ended, listed = await asyncio.gather(
        host.types("deploy", ME, "--json", **exported), host.types("runs", "--json", **exported)
    )

    assert (ended.code, ended.answer["code"]) == (ExitCode.REFUSED, "self_deploy")
    assert (listed.code, listed.answer["ok"]) == (ExitCode.OK, True)


async def test_a_key_that_is_missing_is_named_and_nothing_is_asked(host: ScriptHost) -> None:
    ended = await host.types("status", FLEET_CONTROL_ROOT="/nowhere")

    assert ended.code == ExitCode.BROKEN
    assert "/nowhere/run/agenix/clawdinator-control-token" in ended.err
