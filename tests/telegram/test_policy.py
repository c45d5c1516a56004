"""The core's own table, row for row, as somebody meets it in Telegram: the same verdicts."""

import json
from typing import Any

import pytest

from clawbot.sandbox.telegram_api.history import Json, user
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.policy import Allowed, Condition, Facts, Refused, Usage, judge
from tests.clawbot.bots import registry
from tests.clawbot.control_api import run
from tests.clawbot.test_policy_in_chat import LAUNCHED, moment
from tests.discord.ec2 import Claw
from tests.fleet_control.aws import image as described
from tests.fleet_control.test_policy import IMAGE, OPERATOR, TABLE
from tests.telegram.scene import Scene, labels

AGENT = user(3003, "agent", is_bot=True)
FORWARDED = {"forward_origin": {"type": "user", "date": 1, "sender_user": user(5)}}
CHECKS = {
    Condition.HEALTHY: "ok",
    Condition.UNHEALTHY: "impaired",
    Condition.STARTING: "initializing",
}


@pytest.mark.parametrize(("caller", "target", "image", "facts", "verdict"), TABLE)
async def test_telegram_says_what_the_core_says(
    scene: Scene, caller: Caller, target: str, image: str, facts: Facts, verdict: object
) -> None:
    expected = judge(_as_heard(caller), target, image, facts)
    await _start(scene, facts)
    words = " ".join(word for word in ("/fleet@fleet_bot", "deploy", target, image) if word)
    reply = await scene.reply_to(await _said(scene, caller, words))
    match expected:
        case Refused(_, message):
            assert reply["text"] == f"✋ {message}".replace("`", "")
            assert scene.api.count("deploy") == 0
        case Usage(ids):
            assert labels(reply) == ["all", *ids]
        case Allowed(confirm) if confirm:
            assert labels(reply) == ["Confirm", "Cancel"]
            assert confirm in reply["text"]
        case _:
            assert verdict == Allowed()
            await scene.asked_for("deploy", 1)


def _as_heard(caller: Caller) -> Caller:
    """A bot that is not of this fleet gets no answer at all; a forwarded message is as unknown."""
    return Unknown("a forwarded message") if isinstance(caller, Unknown) else caller


async def _said(scene: Scene, caller: Caller, words: str) -> Json:
    more: dict[str, Any] = FORWARDED if isinstance(caller, Unknown) else {}
    speaker = scene.visitor
    if isinstance(caller, BotInstance):
        speaker = AGENT
    elif isinstance(caller, Human) and caller == OPERATOR:
        speaker = scene.operator
    return await scene.people.say(scene.fleet, speaker, words, **more)


async def _start(scene: Scene, facts: Facts) -> None:
    """A bot in a world that shows these facts."""
    ids = facts.ids or ()
    conditions = dict(facts.conditions or {})
    known = json.loads(registry(*ids))
    known["clawdinator-1"]["telegramUserId"] = str(AGENT["id"])
    scene.api.registry = json.dumps(known)
    scene.hosts(
        *(
            Claw(id_, IMAGE, CHECKS[is_], days=float(is_ is not Condition.STARTING))
            for id_, is_ in conditions.items()
            if is_ in CHECKS
        )
    )
    scene.ec2.scripts["DescribeImages"] = [described(IMAGE, "2026-09-01T00:00:00.000Z")]
    if facts.unfinished:
        scene.api.runs.append(run(7, caller="clawdinator-1", target="clawdinator-3", reply=""))
    if facts.last_bot_deploy:
        begun, ended = moment(LAUNCHED - 60), moment(facts.last_bot_deploy.ended)
        times = {"created": begun, "started": begun, "updated": ended}
        by = facts.last_bot_deploy.instance
        scene.api.runs.append(run(6, "completed", "success", caller=by, reply="", **times))
    await scene.start(each=0.0, **({"CLAWBOT_INSTANCE": facts.carrier} if facts.carrier else {}))
