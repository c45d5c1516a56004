"""A bot that was asked is gone for good, and the one that announces its deploy is killed, too, just
as it answers the dead reply with where it goes on."""

import pytest

from tests.announced.channel_message import MessageKind, said
from tests.announced.three_bots import ThreeBots
from tests.announced.verdict import AskedDeploy, Told


@pytest.mark.parametrize("acted", [False, True])
async def test_a_dead_reply_is_answered_once_though_its_answerer_is_killed_at_that(
    bots: ThreeBots, acted: bool
) -> None:
    """Discord takes the same answer of one bot once, so that it may say it again."""
    bots.runs.lasts = {"claw-2": 600.0}
    await bots.start(bots.one, bots.two)
    await bots.asks_on_discord("claw-2")
    await bots.idle()
    await bots.pass_time(20)
    await bots.kill(bots.one)
    bots.two.line.begin(("POST", f"/api/v10/channels/{bots.ops.id}/messages", acted))
    await bots.pass_time(360, 30.0)
    assert bots.two.line.is_cut
    await bots.kill(bots.two)
    await bots.start(bots.two)
    await bots.pass_time(360, 30.0)

    messages = said(bots)
    deploy = AskedDeploy("claw-2", "discord", "ops")
    (reply,) = bots.runs.replies_to("claw-2")
    (pointer,) = (one for one in messages if one.kind is MessageKind.GOES_ON)
    assert (pointer.answers, pointer.channel, pointer.by) == (reply, "ops", "two")
    found = Told(deploy, [reply], messages, bots.noted("claw-2"), [], back=False)
    assert [one for one in found.wrong() if "telegram" not in one] == []
