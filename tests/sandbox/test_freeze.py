"""A freeze through the whole sandbox: whoever asks, through which bot, and whatever waited."""

import asyncio
import re
from pathlib import Path

import pytest

from clawbot.progress import Stage
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused
from fleet_control.ledger import Entry
from tests.sandbox.full_loop import FullLoop, full_loop, write_registry

ONE, TWO = "clawdinator-1", "clawdinator-2"
FROZEN = "The fleet is frozen by operator in the terminal until"


def agents(outside: FullLoop) -> ControlApi:
    """As TWO's agent asks."""
    key, sandbox = outside.sandbox.seeded.agents[TWO], outside.sandbox
    keys = key.access_key, key.secret_key
    url = sandbox.control_api_url
    return ControlApi(url, sandbox.token, *keys, "eu-central-1", outside.clock)


async def test_what_runs_goes_on_what_waited_stops_and_one_yes_overrides_it_once(
    tmp_path: Path, python: Path
) -> None:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    async with full_loop(file, python=python) as outside:
        async with outside.bot() as bot:
            before = await asyncio.to_thread(outside.hosts)
            async with outside.held():
                await bot.terminal.hear(f"/fleet deploy {ONE} &")
                await bot.output.until(ONE, Stage.RUNNING)
                github = outside.sandbox.github
                # Its plan is made once there is a job for its host.
                await github.until(
                    github.runner.runs[-1].id, lambda run: len(run.latest_jobs()) > 1
                )
                await bot.terminal.hear(f"/fleet deploy {TWO} &")
                await bot.output.until(TWO, Stage.QUEUED)
                await bot.terminal.hear("/fleet freeze for 2h a move")
            await bot.terminal.finish()
            said = bot.printed.getvalue()
        after = await asyncio.to_thread(outside.hosts)

        assert "A roll is under way, and goes on if its plan was made before" in " ".join(
            said.split()
        )
        assert f"✓ deploy {ONE}: done" in said
        assert f"✗ deploy {TWO}: failed" in said
        assert f"why: {FROZEN}" in " ".join(said.split())
        assert (after[ONE] != before[ONE], after[TWO]) == (True, before[TWO])

        async with outside.bot(ONE) as bot, agents(outside) as api:
            assert FROZEN in " ".join((await bot.say("/fleet status")).split())
            wanted = Entry(request_id=f"agent.{TWO}.cli.1", target=ONE, caller=TWO)
            with pytest.raises(ControlApiRefused, match=re.escape(FROZEN)) as refused:
                await api.deploy(wanted)
            assert refused.value.code == "frozen"

            asked = await bot.say(f"/fleet deploy {TWO}")
            assert f"{FROZEN}" in " ".join(asked.split())
            done = await bot.say("yes")
            assert f"✓ deploy {TWO}, overriding the freeze: done" in done
            assert "note: This overrides the freeze by operator in the terminal" in done
            assert "(frozen)" in await bot.say(f"/fleet deploy {TWO}", "no")

            assert "Lifted: the freeze by operator" in await bot.say("/fleet unfreeze")
            assert "frozen" not in await bot.say("/fleet status")
