"""Rollbacks and a resume as the workflow's jobs, through the whole sandbox."""

import asyncio
from pathlib import Path

import pytest

from fleet_control.host import Host
from fleet_control.run_title import TITLE_FIELDS
from sandbox.run_record import PERSON, RunRecord
from tests.sandbox.full_loop import NEWEST, OLDER, OLDEST, FullLoop, full_loop, write_registry

NOTHING = dict.fromkeys(TITLE_FIELDS, "")
ONE, TWO = "clawdinator-1", "clawdinator-2"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    return file


async def runs(outside: FullLoop, **asked: str) -> RunRecord:
    """A whole run that somebody started on GitHub."""
    github = outside.sandbox.github
    run = github.runner.dispatch(NOTHING | asked, actor=PERSON)
    await github.finished(run.id)
    return run


async def made(outside: FullLoop) -> dict[str, tuple[str, str]]:
    """What each host is made of: its image, and the revision that it says it runs."""
    said = await outside.sandbox.hosts()
    hosts: dict[str, Host] = await asyncio.to_thread(outside.hosts)
    return {id_: (host.image, said[id_]["revision"]) for id_, host in hosts.items()}


async def test_one_goes_back_and_then_each_of_all_to_its_own(registry: Path, python: Path) -> None:
    async with full_loop(registry, python=python) as outside:
        oldest, older, newest = outside.sandbox.github.runner.context.repository.commits
        first = await made(outside)
        assert first == {ONE: (OLDER, older), TWO: (OLDEST, oldest)}
        assert (await runs(outside, target="all")).conclusion == "success"

        run = await runs(outside, target=TWO, operation="rollback", ami_override=OLDEST)
        assert run.conclusion == "success"
        assert await made(outside) == {ONE: (NEWEST, newest), TWO: first[TWO]}
        names = [f"{TWO}: {NEWEST} -> {OLDEST} @{oldest[:7]}", f"It ran {newest[:7]}"]
        _, job, finish = run.jobs
        assert [job.name, job.steps[1].name, finish.conclusion] == [*names, "skipped"]

        run = await runs(outside, target="all", operation="rollback")
        assert run.conclusion == "success"
        assert await made(outside) == {ONE: first[ONE], TWO: (NEWEST, newest)}
        assert [job.name for job in run.jobs[1:3]] == [
            f"{ONE}: {NEWEST} -> {OLDER} @{older[:7]}",
            f"{TWO}: {OLDEST} -> {NEWEST} @{newest[:7]}",
        ]


async def test_a_roll_that_stopped_is_taken_up_where_it_stopped(
    registry: Path, python: Path
) -> None:
    ill = {"python": python, "unhealthy": frozenset({ONE}), "health_deadline": 1.0}
    async with full_loop(registry, **ill) as outside:
        newest = outside.sandbox.github.runner.context.repository.commits[-1]
        first = await made(outside)
        stopped = await runs(outside, target="all")
        assert stopped.conclusion == "failure"
        at_one = await made(outside)
        assert at_one[TWO] == first[TWO]

        run = await runs(outside, target=str(stopped.id), operation="resume")
        assert run.conclusion == "success"
        assert await made(outside) == {**at_one, TWO: (NEWEST, newest)}
        assert [job.name.partition(":")[0] for job in run.jobs] == ["plan", TWO, "finish"]
