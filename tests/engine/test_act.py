"""A second opinion on the workflow file: act leaves what the sandbox's runner leaves."""

import asyncio
import json
from contextlib import closing
from pathlib import Path

from fleet_control import ec2
from fleet_control.run_title import TITLE_FIELDS
from sandbox.run_record import PERSON
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from sandbox.seed import LOCK_TABLE
from tests.engine.act import ActCheckout, found
from tests.engine.site import NEW, ONE, THREE, TWO
from tests.sandbox.test_unlock import HELD, ID, KEY, dynamodb
from tests.workflows.fleets import registry_text

ALL = dict.fromkeys(TITLE_FIELDS, "") | {"target": "all"}


def _options(folder: Path, unhealthy: frozenset[str] = frozenset()) -> SandboxOptions:
    registry = folder / "instances.json"
    registry.write_text(registry_text((ONE, TWO, THREE)))
    return SandboxOptions(registry=registry, unhealthy=unhealthy, health_deadline=4.0)


def _images(sandbox: Sandbox) -> dict[str, str]:
    key = sandbox.seeded.deployer
    client = ec2.client(sandbox.seeded.region, key.access_key, key.secret_key, sandbox.aws_url)
    hosts = ec2.read(client, 0.0).hosts
    client.close()
    return {host.name: host.image for host in hosts if host.state in ("running", "pending")}


async def test_all_over_three_hosts_leaves_what_the_sandboxs_runner_leaves(tmp_path: Path) -> None:
    program = found()
    async with open_sandbox(_options(tmp_path)) as sandbox:
        results = await ActCheckout(program, tmp_path, sandbox).run(ALL)
        by_act = await asyncio.to_thread(_images, sandbox)
    async with open_sandbox(_options(tmp_path)) as sandbox:
        run = sandbox.github.runner.dispatch(ALL, actor=PERSON)
        await sandbox.github.finished(run.id)
        by_ours = await asyncio.to_thread(_images, sandbox)
        ours = {job.name: str(job.conclusion) for job in run.jobs}

    assert by_act == by_ours == dict.fromkeys((ONE, TWO, THREE), NEW)
    assert _anywhere(ours) == _anywhere(results)


def _anywhere(results: dict[str, str]) -> dict[str, str]:
    """By the jobs' names without the revision: each sandbox has a repository of its own."""
    return {name.partition(" @")[0]: result for name, result in results.items()}


async def test_a_host_that_never_becomes_healthy_leaves_the_next_untouched(tmp_path: Path) -> None:
    """act goes on to the third host's job, although its matrix is serial and fails fast."""
    program = found()
    async with open_sandbox(_options(tmp_path, frozenset({TWO}))) as sandbox:
        before = await asyncio.to_thread(_images, sandbox)
        results = await ActCheckout(program, tmp_path, sandbox).run(ALL)
        after = await asyncio.to_thread(_images, sandbox)

    assert after == before | {ONE: NEW, TWO: NEW}
    assert {name.partition(":")[0]: result for name, result in results.items()} == {
        "plan": "success",
        ONE: "success",
        TWO: "failure",
        THREE: "failure",
    }


async def test_a_lock_is_broken_and_the_jobs_of_a_roll_are_left_out(tmp_path: Path) -> None:
    """An empty matrix would fail."""
    program = found()
    asked = dict.fromkeys(TITLE_FIELDS, "") | {"operation": "unlock", "target": ID}
    async with open_sandbox(_options(tmp_path)) as sandbox:
        with closing(dynamodb(sandbox)) as table:
            item = {**KEY, "Info": {"S": json.dumps(HELD)}}
            await asyncio.to_thread(table.put_item, TableName=LOCK_TABLE, Item=item)
            before = await asyncio.to_thread(_images, sandbox)
            results = await ActCheckout(program, tmp_path, sandbox).run(asked)
            left = await asyncio.to_thread(table.get_item, TableName=LOCK_TABLE, Key=KEY)
        after = await asyncio.to_thread(_images, sandbox)

    assert results == {"plan": "success"}
    assert "Item" not in left
    assert before == after
