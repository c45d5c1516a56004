"""Two processes of one bot's name: an old host that still lives beside its new one, or a second bot
that somebody started by hand with the same settings."""

from collections.abc import AsyncIterator, Iterable

import pytest

from tests.announced.channel_message import ChannelMessage, MessageKind, about, said
from tests.announced.three_bots import FLEET, OneBot, ThreeBots
from tests.announced.verdict import AskedDeploy, Told
from tests.discord.ec2 import Claw, stage

LASTS = 300.0
ILL = [Claw(id_, check="impaired" if id_ == "claw-3" else "ok") for id_ in FLEET]


@pytest.fixture
async def twin(bots: ThreeBots) -> AsyncIterator[OneBot]:
    """Of bot one, which serves; it does not yet."""
    bots.runs.lasts = {"claw-2": LASTS, "claw-4": LASTS}
    bots.runs.ill = {"claw-4"}
    await bots.start(bots.one)
    await bots.pass_time(30)
    twin = bots.twin(bots.one)
    yield twin
    await bots.kill(twin)


@pytest.mark.parametrize("begins", [0, 100])
async def test_what_both_could_tell_is_told_once(
    bots: ThreeBots, twin: OneBot, begins: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a deploy that was asked for, of an agent's that fails, and of a host that is ill; the twin
    `begins` so many seconds after the asks. What stands by then it goes on with."""
    await bots.asks_on_discord("claw-2")
    await bots.idle()
    await bots.agent_asks("claw-4", "1")
    stage(bots.ec2, ILL)
    await bots.pass_time(begins, 5.0)
    await bots.start(twin)
    await bots.pass_time(2 * LASTS)

    for deploy in (AskedDeploy("claw-2", "discord", "ops"), AskedDeploy("claw-4", fails=True)):
        told = about(deploy.target, said(bots))
        replies, noted = bots.runs.replies_to(deploy.target), bots.noted(deploy.target)
        assert Told(deploy, replies, told, noted, [], back=True).wrong() == []
        assert on_discord(told, begins == 100) == [MessageKind.FINAL, MessageKind.CALL]
    ill = [one.platform for one in said(bots) if "claw-3" in one.text]
    assert sorted(ill) == ["discord", "telegram"]
    assert caplog.text.count("fleet.younger_process_at_work") == 1


async def test_of_what_begins_beside_both_the_younger_tells(bots: ThreeBots, twin: OneBot) -> None:
    await bots.start(twin)
    await bots.pass_time(90)
    for number in range(1, 3):
        await bots.agent_asks("claw-4", str(number))
        await bots.pass_time(LASTS + 100)

    told = on_discord(about("claw-4", said(bots)))
    assert told == [MessageKind.FINAL, MessageKind.CALL] * 2


def on_discord(told: Iterable[ChannelMessage], every: bool = False) -> list[MessageKind]:
    """What it shows, or all but a message that the elder sent in the very moment in which the
    younger took over, and that says where it goes on."""
    kinds = [one.kind for one in told if one.platform == "discord"]
    return [kind for kind in kinds if every or kind is not MessageKind.GOES_ON]
