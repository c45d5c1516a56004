"""From a chat line to a replaced host, through the whole sandbox."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from clawbot.progress import Stage
from fleet_control.host import HostState
from fleet_control.run_title import TITLE_FIELDS
from sandbox.host_rules import SECRET, Behaviour
from sandbox.run_record import ANY_WORKFLOW, PERSON
from sandbox.sandbox import REPO, WORKFLOW
from tests.sandbox.full_loop import NEWEST, OLDER, OLDEST, full_loop, give_once, write_registry

TITLE = dict.fromkeys(TITLE_FIELDS, "")
ONE, TWO, FISH = "clawdinator-1", "clawdinator-2", "clawdinator-babelfish"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    return file


async def test_the_script_of_the_demo_s_page(registry: Path, python: Path) -> None:
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        before = await asyncio.to_thread(outside.hosts)
        assert {id_: host.image for id_, host in before.items()} == {ONE: OLDER, TWO: OLDEST}

        assert "2 instances, 2 healthy, 2 on an older image" in await bot.say("/fleet status")
        said = await bot.say(f"/fleet deploy {TWO}")
        assert f"✓ deploy {TWO}: done" in said
        assert f"✓ {TWO}  {OLDEST} -> {NEWEST}  replaced, healthy" in said
        assert "2 instances, 2 healthy, 1 on an older image" in await bot.say("/fleet status")

        calls = len(outside.sandbox.control_api.invocations)
        said = await bot.say(f"{ONE}: /fleet deploy {ONE}", f"{ONE}: /fleet deploy all")
        assert said.count("refused (self_deploy)") == 2
        assert len(outside.sandbox.control_api.invocations) == calls

        assert f"✓ deploy {TWO}: done" in await bot.say(f"{ONE}: /fleet deploy {TWO}")
        said = await bot.say(
            "stranger: /fleet deploy all",
            "/fleet deploy",
            "/fleet deploy clawdinator-9",
            f"/fleet deploy {ONE} ami-00000000",
        )
        assert "refused (not_operator)" in said
        assert f"Targets: all, {ONE}, {TWO}." in said
        assert "refused (unknown_target)" in said
        assert "refused (unknown_image)" in said
        assert outside.asked("deploy") == 2

        assert f"  Replaces  {ONE}, {TWO}\n" in await bot.say("/fleet deploy all")
        assert "✓ deploy all: done" in await bot.say("yes")
        assert "2 instances, 2 healthy\n" in await bot.say("/fleet status")

        after = await asyncio.to_thread(outside.hosts)
        assert {host.image for host in after.values()} == {NEWEST}
        assert {host.state for host in after.values()} == {HostState.RUNNING}
        assert not {one.id for one in before.values()} & {one.id for one in after.values()}
        assert bot.terminal.exit_code == 0
        assert [run.conclusion for run in outside.sandbox.github.runner.runs] == ["success"] * 3
        api = bot.bot.api
        assert [await api.told(one.request_id) for one in await api.runs()] == ["done"] * 3
        left = (await bot.bot.fleet.deploys.look()).last
        assert {id_: one and (one.image, one.revision) for id_, one in left.items()} == {
            id_: (host.image, host.revision[:7]) for id_, host in after.items()
        }


async def test_a_bad_host_stops_the_roll_and_the_chat_says_where_and_why(
    tmp_path: Path, python: Path
) -> None:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, FISH, TWO), **{FISH: "t3.small"})
    async with (
        full_loop(file, python=python, unhealthy=frozenset({FISH}), health_deadline=1.0) as outside,
        outside.bot() as bot,
    ):
        before = await asyncio.to_thread(outside.hosts)

        said = await bot.say("/fleet deploy all", "yes")

        after = await asyncio.to_thread(outside.hosts)
    assert "✗ deploy all: failed" in said
    assert f"  ✓ {ONE:<21}  {before[ONE].image} -> {NEWEST}  replaced, healthy" in said
    assert f"  ✗ {FISH}  {before[FISH].image} -> {NEWEST}  failed" in said
    assert f"  · {TWO:<21}  {before[TWO].image} -> {NEWEST}  untouched" in said
    assert f"  at:   {FISH}, Replace and wait until healthy" in said
    assert f"  why:  {FISH} was replaced but did not become healthy within" in said
    assert f"/fleet deploy {FISH} {before[FISH].image}" in said
    assert after[TWO] == before[TWO]
    assert bot.terminal.exit_code == 1


@pytest.mark.parametrize("way", [Behaviour.AGENT_DIES, Behaviour.BOT_DIES])
async def test_a_host_that_ec2_calls_healthy_and_of_which_a_unit_keeps_dying_stops_the_roll(
    tmp_path: Path, python: Path, caplog: pytest.LogCaptureFixture, way: Behaviour
) -> None:
    """The last words are in the run's log, and the secret that they held is nowhere."""
    file = tmp_path / "instances.json"
    unit = {Behaviour.AGENT_DIES: "clawdinator.service", Behaviour.BOT_DIES: "clawbot.service"}[way]
    write_registry(file, (ONE, FISH, TWO), **{FISH: "t3.small"})
    async with (
        full_loop(file, python=python, ways={FISH: way}, health_deadline=1.0) as outside,
        outside.bot() as bot,
    ):
        before = await asyncio.to_thread(outside.hosts)

        said = await bot.say("/fleet deploy all", "yes")

        after = await asyncio.to_thread(outside.hosts)
    assert f"  ✓ {ONE:<21}  {before[ONE].image} -> {NEWEST}  replaced, healthy" in said
    assert f"  ✗ {FISH}  {before[FISH].image} -> {NEWEST}  failed" in said
    assert f"  · {TWO:<21}  {before[TWO].image} -> {NEWEST}  untouched" in said
    why = f"{FISH} was replaced but did not become healthy within 1 s: {FISH} ({after[FISH].id}): "
    assert f"{why}{unit} is active for 0 of" in " ".join(said.split())
    assert after[TWO] == before[TWO]
    jobs = [job for run in outside.sandbox.github.runner.runs for job in run.latest_jobs()]
    told = "\n".join(line for job in jobs for line in (*job.log, job.summary))
    assert "no model takes ***" in told
    assert "Main process exited" in told
    assert SECRET not in said + told + caplog.text


async def test_what_a_workflow_of_a_branch_starts_is_refused_and_a_persons_button_is_not(
    registry: Path,
    python: Path,
) -> None:
    async with full_loop(registry, python=python) as outside, aiohttp.ClientSession() as session:
        github = outside.sandbox.github
        before = await asyncio.to_thread(outside.hosts)
        # A job of some workflow on some branch, with `permissions: actions: write`.
        github.runner.context.tokens["ghs_of_a_job"] = {"actions": "write"}
        asked = await session.post(
            f"{github.url}/repos/{REPO}/actions/workflows/{Path(WORKFLOW).name}/dispatches",
            json={
                "ref": "main",
                "inputs": {"target": "all", "requested_by": "discord:80351110224678912 sam"},
            },
            headers={
                "Authorization": "Bearer ghs_of_a_job",
                "X-GitHub-Api-Version": "2026-03-10",
            },
        )
        assert asked.status == 200
        forged = await github.finished(github.runner.runs[-1].id)
        after = await asyncio.to_thread(outside.hosts)
        pressed = github.runner.dispatch(TITLE | {"target": TWO}, actor=PERSON)
        await github.finished(pressed.id)

    assert (forged.actor, forged.conclusion) == (ANY_WORKFLOW, "failure")
    assert [job.conclusion for job in forged.jobs] == ["failure", "skipped", "skipped"]
    assert "`github-actions[bot]` (41898282) may not start a deploy" in "".join(forged.jobs[0].log)
    assert after == before
    assert pressed.conclusion == "success"


async def test_a_bot_killed_in_the_middle_is_finished_by_its_successor(
    registry: Path, python: Path
) -> None:
    """And two people deploy at once: the second waits its turn, and is told so."""
    async with full_loop(registry, python=python) as outside:
        async with outside.held(), outside.bot() as first:
            await first.say(f"/fleet deploy {ONE} &")
            await first.output.until(ONE, Stage.RUNNING)
            await first.say(f"/fleet deploy {TWO} &")
            await first.output.until(TWO, Stage.QUEUED)
        assert "done" not in first.printed.getvalue()

        async with outside.bot() as successor:
            await successor.finish_left()
            printed = successor.printed.getvalue()
    assert f"✓ deploy {ONE}: done" in printed
    assert f"✓ deploy {TWO}: done" in printed
    assert successor.terminal.exit_code == 0
    assert outside.asked("deploy") == 2


async def test_an_instance_added_at_the_source_can_be_deployed_without_a_restart(
    registry: Path,
    python: Path,
) -> None:
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        await bot.say("/fleet status")
        write_registry(registry, (ONE, TWO, FISH))
        outside.clock.ahead += 61

        # Until it has read the ledger it can't know that there never was a host.
        counted = re.compile("3 instances, 2 healthy, 1 (missing|not deployed yet)")
        assert counted.search(await bot.say("/fleet status"))
        said = await bot.say(f"/fleet deploy {FISH}")

        registry.unlink()  # noqa: ASYNC240  (a file of a few hundred bytes)
        outside.clock.ahead += 3600
        old = await bot.say("/fleet status")
        hosts = await asyncio.to_thread(outside.hosts)
    assert f"✓ {FISH}  no host -> {NEWEST}  created, healthy" in said
    assert hosts.keys() == {ONE, TWO, FISH}
    assert "3 instances, 3 healthy" in old
    assert "What I know of the registry is 1 hour old." in old


async def test_a_registry_that_goes_once_it_was_read_stops_no_start(
    tmp_path: Path, python: Path
) -> None:
    file = tmp_path / "instances.json"
    give_once(file, (ONE,))

    async with full_loop(file, python=python) as outside:
        assert outside.sandbox.seeded.agents.keys() == {ONE}


async def test_a_fleet_of_five_hundred_is_read_whole_and_never_rolled_at_once(
    tmp_path: Path,
    python: Path,
) -> None:
    file = tmp_path / "instances.json"
    write_registry(file, (f"claw-{number}" for number in range(1, 501)))
    async with full_loop(file, python=python) as outside, outside.bot() as bot:
        assert "500 instances, 500 healthy" in await bot.say("/fleet status")
        assert "refused (too_many_hosts)" in await bot.say("/fleet deploy all")
        assert outside.asked("deploy") == 0
