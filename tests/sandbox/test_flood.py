"""An agent that asks two hundred times in five seconds, while a person deploys."""

import asyncio
import sys
from pathlib import Path

import pytest

from fleet_control.api_answer import Dispatched
from fleet_control.clock import SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused
from fleet_control.ledger import Entry
from sandbox.principal import REGION, IamPrincipal
from sandbox.sandbox import Sandbox
from tests.sandbox.full_loop import full_loop, write_registry

ONE, TWO = "clawdinator-1", "clawdinator-2"
ASKS, SECONDS = 200, 5.0
AT_ONCE = 10  # as AWS lets a function of a new account


def client(sandbox: Sandbox, key: IamPrincipal) -> ControlApi:
    url, token = sandbox.control_api_url, sandbox.token
    return ControlApi(url, token, key.access_key, key.secret_key, REGION, SystemClock(), 60.0)


async def test_a_flood_by_one_key_is_one_run_and_a_persons_deploy_is_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], python: Path
) -> None:
    registry = tmp_path / "instances.json"
    write_registry(registry, (ONE, TWO))
    async with full_loop(registry, python=python, listed_after=8.0) as outside:
        sandbox, codes = outside.sandbox, list[str]()
        at_once = asyncio.Semaphore(AT_ONCE)
        agents, chats = sandbox.seeded.agents[ONE], sandbox.seeded.chats["demo"]
        async with client(sandbox, agents) as agent, client(sandbox, chats) as chat:

            async def ask(number: int) -> None:
                await asyncio.sleep(number * SECONDS / ASKS)
                entry = Entry(f"agent.{ONE}.cli.{number}", target=TWO, caller=ONE)
                async with at_once:
                    try:
                        await agent.deploy(entry)
                    except ControlApiRefused as refused:
                        codes.append(refused.code)

            async def person() -> Dispatched:
                await asyncio.sleep(SECONDS / 2)
                asked = {"target": ONE, "requested_by": "terminal:operator sam"}
                return await chat.deploy(Entry("terminal.demo.1.1", **asked))

            persons = asyncio.create_task(person())
            await asyncio.gather(*map(ask, range(ASKS)))
            taken = await persons
        runs = sandbox.github.runner.runs
        await sandbox.github.finished(runs[-1].id)
        invoked, counted = len(sandbox.control_api.invocations), sandbox.github.counted
    with capsys.disabled():
        told = f"{invoked} calls, {counted} of GitHub's counted"
        sys.stdout.write(f"\n{ASKS} asks by an agent and one by a person: {told}\n")
    assert codes == ["busy"] * (ASKS - 1)
    assert [run.inputs["target"] for run in runs] == [TWO, ONE]
    assert taken.run_id == runs[1].id
    assert str(runs[1].conclusion) == "success"
    assert counted <= 30
