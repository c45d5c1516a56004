"""A change merged, deployed and taken back; what a host does with a seed that is not as told."""

import asyncio
import base64
import hashlib
import re
from pathlib import Path

import pytest

from fleet_control.archive import File, compress, tar
from fleet_control.seed import REVISION_FILE, key
from sandbox.host_boot import BootResult, boot
from sandbox.repository import PAST
from tests.sandbox.full_loop import NEWEST, OLDER, OLDEST, FullLoop, full_loop, write_registry

ONE, TWO = "clawdinator-1", "clawdinator-2"
NEW, OLD = "1" * 40, "0" * 40


async def revisions(outside: FullLoop) -> dict[str, str]:
    """Of each host: what it says it runs, which must be what its tag says."""
    said = {id_: one["revision"] for id_, one in (await outside.sandbox.hosts()).items()}
    tags = await asyncio.to_thread(outside.hosts)
    assert {id_: host.revision for id_, host in tags.items()} == said
    return said


def aged(number: int) -> str:
    """A pattern of a commit of the past: at any moment it may become a day older."""
    return rf"\d+ days old: {re.escape(PAST[number][0])}\n"


async def test_a_change_is_merged_deployed_and_taken_back(tmp_path: Path, python: Path) -> None:
    write_registry(tmp_path / "instances.json", (ONE, TWO))
    async with (
        full_loop(tmp_path / "instances.json", python=python) as outside,
        outside.bot() as bot,
    ):
        commits = outside.sandbox.github.runner.context.repository.commits
        oldest, older, newest = commits
        assert await revisions(outside) == {ONE: older, TWO: oldest}

        said = await bot.say("/fleet status")
        assert f"{older[:7]}, 1 behind" in said
        assert f"{oldest[:7]}, 2 behind" in said
        assert re.search(f"NEWEST REVISION  {newest[:7]}, {aged(2)}", said)
        said = await bot.say(f"/fleet deploy {TWO}")
        assert re.search(f"  Revision {newest[:7]}, {aged(2)}", said)
        assert await revisions(outside) == {ONE: older, TWO: newest}

        said = await bot.say("merge Hosts greet")
        merged = commits[-1]
        assert f"Merged {merged[:7]}: Hosts greet." in said
        assert f"✓ deploy {TWO}: done" in await bot.say(f"/fleet deploy {TWO}")
        assert await revisions(outside) == {ONE: older, TWO: merged}
        assert (await asyncio.to_thread(outside.hosts))[TWO].image == NEWEST
        job = outside.sandbox.github.runner.runs[-1].latest_jobs()[1]
        assert job.name == f"{TWO}: {NEWEST} -> {NEWEST} @{merged[:7]}"

        said = " ".join((await bot.say("merge docs Hosts greet, it says")).split())
        stays = "It changes nothing that a host is built from: the newest revision stays"
        assert f"Merged {commits[-1][:7]}: Hosts greet, it says. {stays} {merged[:7]}." in said
        assert f"  Revision {merged[:7]}, " in await bot.say(f"/fleet deploy {TWO}")
        assert await revisions(outside) == {ONE: older, TWO: merged}

        said = await bot.say(f"/fleet deploy {TWO} {OLDER}")
        assert f"✓ deploy {TWO}: done" in said
        assert re.search(f"  Revision {older[:7]}, {aged(1)}", said)
        assert await revisions(outside) == {ONE: older, TWO: older}

        said = await bot.say(f"/fleet deploy {TWO} {oldest}")
        assert f"✓ deploy {TWO}: done" in said
        assert re.search(f"  Revision {oldest[:7]}, {aged(0)}", said)
        assert await revisions(outside) == {ONE: older, TWO: oldest}
        assert (await asyncio.to_thread(outside.hosts))[TWO].image == OLDEST
        title = outside.sandbox.github.runner.runs[-1].title
        assert f" | {TWO} | {oldest[:12]} | " in title

        said = await bot.say("network off", f"reboot {TWO}", "reboot nobody")
        assert f"rebooted and runs {oldest[:7]}." in said
        assert "No host runs for nobody." in said


async def test_what_somebody_spoiled_is_refused_by_name_and_nothing_is_touched(
    tmp_path: Path, python: Path
) -> None:
    registry = tmp_path / "instances.json"
    write_registry(registry, (ONE, TWO))
    async with full_loop(registry, python=python) as outside, outside.bot() as bot:
        before = await asyncio.to_thread(outside.hosts)
        newest = outside.sandbox.github.runner.context.repository.commits[-1]
        manifest = f"bootstrap/{TWO}/manifest.json"
        for spoil, done, why in (
            ("bundle TWO missing", f"{manifest} is gone now.", f"{manifest} is not there."),
            ("bundle TWO stale", f"{manifest} is of no secret now.", f"The bundle of {TWO} lacks "),
            (
                "bundle TWO other",
                f"{manifest} is another instance's now.",
                f"was made for other-than-{TWO}.",
            ),
        ):
            said = await bot.say(f"spoil {spoil.replace('TWO', TWO)}", f"/fleet deploy {TWO}")
            assert done in said
            assert why in flat(said)
            assert "Nothing was touched: " in flat(said)

        write_registry(registry, (ONE, TWO), **{ONE: "t3.small"})
        assert "has no nobody." in await bot.say("spoil bundle nobody stale")
        said = await bot.say("spoil seed", f"/fleet deploy {TWO}")
        seed = key(outside.sandbox.github.runner.context.repository.revision())
        assert seed != key(newest)
        assert f"{seed} is not what " in said
        assert f"{seed} is not what that commit holds: somebody else put it there" in flat(said)
        assert "Nothing was touched: " in flat(said)
        assert await asyncio.to_thread(outside.hosts) == before

        await bot.say("merge Another revision has another seed", f"spoil bundle {TWO} missing")
        assert "Every bundle holds" in await bot.say(f"clawbot bundle upload {TWO}")
        assert f"✓ deploy {TWO}: done" in await bot.say(f"/fleet deploy {TWO}")


def flat(said: str) -> str:
    return " ".join(said.split())


def told(revision: str, data: bytes) -> str:
    """User data as EC2 is given it."""
    text = f"tell revision '{revision}'\ntell seed-sha256 '{hashlib.sha256(data).hexdigest()}'\n"
    return base64.b64encode(text.encode()).decode()


def packed(**files: str) -> bytes:
    return compress(tar({path: File(text.encode()) for path, text in files.items()}))


SEED = packed(**{REVISION_FILE: f"{NEW}\n"})


def test_a_host_becomes_what_it_is_told_once_that_is_verified() -> None:
    there = {key(NEW): SEED}

    assert boot(told(NEW, SEED), BootResult(OLD), there.get) == BootResult(NEW)


@pytest.mark.parametrize(
    ("lies_there", "was_told", "trouble"),
    [
        (None, SEED, "can't be had"),
        (SEED + b"!", SEED, "is not the one it was told of"),
        (SEED[:-9], SEED, "is not the one it was told of"),
        (SEED[:-9], SEED[:-9], "can't be read"),
        (packed(other="x"), packed(other="x"), "can't be read"),
        (packed(REVISION=f"{OLD}\n"), packed(REVISION=f"{OLD}\n"), f"is of {OLD}"),
    ],
)
def test_a_seed_that_is_not_as_told_makes_no_host(
    lies_there: bytes | None, was_told: bytes, trouble: str
) -> None:
    come_to = boot(told(NEW, was_told), BootResult(OLD), lambda _: lies_there)

    assert come_to.revision == OLD
    assert come_to.trouble.startswith(f"the seed of {NEW} {trouble}")


@pytest.mark.parametrize("user_data", [None, "", told(NEW, SEED), told(NEW, b"overwritten")])
def test_a_host_that_is_told_nothing_new_asks_nobody(user_data: str | None) -> None:
    def nobody(_: str) -> bytes:
        raise AssertionError

    assert boot(user_data, BootResult(NEW), nobody) == BootResult(NEW)
