"""Bots that are restarted, and a table and a Control API that are away for a while.

Of a deploy that an agent asked for, and of a host that is ill for a while, every channel is told
once all the same.
"""

from collections.abc import Awaitable, Callable

import pytest

from tests.announced.channel_message import MessageKind, about, said
from tests.announced.three_bots import FLEET, ThreeBots
from tests.announced.verdict import AskedDeploy, Told
from tests.discord.ec2 import Claw, stage

HOUR_SECONDS = 3600.0
# For so long the bots look at a fleet in which nothing happens.
AT_FIRST_SECONDS = 120.0
DISTURBED_AFTER_SECONDS = 40.0
ILL_SECONDS = 600.0
LATER_SECONDS = 900.0

Disturb = Callable[[ThreeBots], Awaitable[None]]


async def nothing(_: ThreeBots) -> None:
    """Two bots on each platform, which is disturbance enough."""


async def restart_each(bots: ThreeBots) -> None:
    for bot in bots.bots:
        await bots.kill(bot)
        await bots.start(bot)
        await bots.pass_time(90)


async def restart_all(bots: ThreeBots) -> None:
    for bot in bots.bots:
        await bots.kill(bot)
    await bots.start()


async def lose_the_table(bots: ThreeBots) -> None:
    bots.api.lose_table()
    await bots.pass_time(ILL_SECONDS / 2)
    bots.api.find_table()


async def lose_the_control_api(bots: ThreeBots) -> None:
    bots.api.away = True
    await bots.pass_time(HOUR_SECONDS, 30.0)
    bots.api.away = False


@pytest.mark.parametrize(
    "disturb", [nothing, restart_each, restart_all, lose_the_table, lose_the_control_api]
)
async def test_a_deploy_and_an_ill_host_are_told_once(bots: ThreeBots, disturb: Disturb) -> None:
    deploy = AskedDeploy("claw-4")
    await bots.start()
    await bots.pass_time(AT_FIRST_SECONDS)
    await bots.agent_asks("claw-4", "1")
    await bots.pass_time(DISTURBED_AFTER_SECONDS)
    stage(bots.ec2, [Claw(id_, check="impaired" if id_ == "claw-2" else "ok") for id_ in FLEET])
    await disturb(bots)
    await bots.pass_time(ILL_SECONDS)
    ill = [one for one in said(bots) if "claw-2" in one.text]
    stage(bots.ec2, [Claw(id_) for id_ in FLEET])
    await bots.pass_time(LATER_SECONDS)

    told = about("claw-4", said(bots))
    assert Told(deploy, [""], told, [], back=True).wrong() == []
    well = [one for one in said(bots) if "claw-2" in one.text and one not in ill]
    for found in (ill, well):
        assert sorted(one.platform for one in found) == ["discord", "telegram"], found
    assert all(one.calls for one in ill)
    assert not any(one.calls for one in well)
    assert len(said(bots)) == len(told) + len(ill) + len(well)


@pytest.mark.parametrize("lose", [lose_the_table, lose_the_control_api])
async def test_what_began_and_ended_out_of_sight_is_told_once(
    bots: ThreeBots, lose: Disturb
) -> None:
    """The run is made by GitHub's button, since nobody else can ask then."""
    await bots.start()
    await bots.pass_time(AT_FIRST_SECONDS)
    bots.runs.press("claw-4")
    await lose(bots)
    await bots.pass_time(ILL_SECONDS)

    told = about("claw-4", said(bots))
    assert Told(AskedDeploy("claw-4"), [""], told, [], back=True).wrong() == []
    assert [one.kind for one in told] == [MessageKind.FINAL, MessageKind.FINAL]
