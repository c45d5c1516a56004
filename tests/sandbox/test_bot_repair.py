"""A bot instance repairs a host once an hour at most, and leaves it alone after two failures."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from fleet_control.clock import SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Entry
from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from sandbox.principal import REGION
from tests.sandbox.full_loop import OLDER, SWIFT, BotRun, FullLoop, full_loop, write_registry

TARGET, *BOTS = (f"clawdinator-{number}" for number in range(1, 7))
SOON = 1.0  # seconds that a run waits for a host that is there to fail


@dataclass
class RepairScene:
    outside: FullLoop
    bot: BotRun

    async def says(self, instance: str, image: str = "") -> str:
        """What the bot answers to that instance."""
        return " ".join(
            (await self.bot.say(f"{instance}: /fleet deploy {TARGET} {image}".rstrip())).split()
        )

    async def past_the_bot(self, instance: str, image: str = "") -> str:
        """How a run ends that this instance's own key asked for, with nobody to advise it."""
        sandbox = self.outside.sandbox
        key = sandbox.seeded.agents[instance]
        signed = sandbox.token, key.access_key, key.secret_key, REGION
        async with ControlApi(sandbox.control_api_url, *signed, SystemClock(), 60.0) as api:
            asked = Entry(f"agent.{instance}.cli.1", "", TARGET, image, caller=instance)
            taken = await api.deploy(asked)
            assert taken.run_id
            await sandbox.github.finished(taken.run_id)
            return (await api.run(taken.run_id)).reason or "done"

    async def makes_hosts_ill(self, *instances: str) -> None:
        await set_rules(self.outside.sandbox.aws_url, Rules(SWIFT, unhealthy=instances))


async def test_bots_repair_a_host_but_can_not_keep_it_down(tmp_path: Path, python: Path) -> None:
    registry = tmp_path / "instances.json"
    write_registry(registry, (TARGET, *BOTS))
    one, two, three, four, five = BOTS
    async with (
        full_loop(registry, python=python, health_deadline=SOON) as outside,
        outside.bot() as bot,
    ):
        scene = RepairScene(outside, bot)
        before = (await asyncio.to_thread(outside.hosts))[TARGET].id
        said = await scene.says(one, OLDER)
        assert "I can't see whether its services run" in said
        assert f"{TARGET} is healthy: a bot instance names an image or a commit only to" in said
        assert "It says so itself." in said
        assert (await asyncio.to_thread(outside.hosts))[TARGET].id == before

        await scene.makes_hosts_ill(TARGET)
        assert "did not become healthy" in await scene.past_the_bot(two)
        ill = (await asyncio.to_thread(outside.hosts))[TARGET].id
        said = f"{TARGET} is unhealthy and {two} deployed it "
        assert said in await scene.says(three)
        assert said in await scene.past_the_bot(three, OLDER)
        assert (await asyncio.to_thread(outside.hosts))[TARGET].id == ill

        await asyncio.to_thread(outside.terminate, TARGET)
        await asyncio.sleep(3 * SWIFT.shutting_down)
        assert "did not become healthy" in await scene.past_the_bot(four)
        await asyncio.to_thread(outside.terminate, TARGET)
        await asyncio.sleep(3 * SWIFT.shutting_down)
        said = f"The last deploys of {TARGET} by bot instances failed. A person has to deploy it"
        assert said in await scene.past_the_bot(five)
        assert TARGET not in await asyncio.to_thread(outside.hosts)

        await scene.makes_hosts_ill()
        assert f"✓ deploy {TARGET}: done" in await bot.say(f"/fleet deploy {TARGET}")
        assert f"{TARGET} is healthy and {four} deployed it" in await scene.says(five)
