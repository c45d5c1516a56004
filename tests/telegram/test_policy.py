"""The core's own table, row for row, as somebody meets it in Telegram: the same verdicts."""

from typing import Any

import pytest

from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.policy import Allowed, Facts, RefusalCode, Refused, Usage, judge
from sandbox.telegram_api.history import Json, user
from tests.fleet_control.test_policy import OPERATOR, TABLE
from tests.policy_facts import carried, show
from tests.telegram.scene import TelegramScene, labels

AGENT = user(3003, "agent", is_bot=True)
FORWARDED = {"forward_origin": {"type": "user", "date": 1, "sender_user": user(5)}}


@pytest.mark.parametrize(("caller", "target", "image", "facts", "verdict"), TABLE)
async def test_telegram_says_what_the_core_says(
    scene: TelegramScene, caller: Caller, target: str, image: str, facts: Facts, verdict: object
) -> None:
    expected = judge(_as_heard(caller), target, image, facts._replace(asked_later=True))
    show(facts, scene.api, scene.ec2, telegramUserId=str(AGENT["id"]))
    await scene.start(each=0.0, **carried(facts))
    words = " ".join(word for word in ("/fleet@fleet_bot", "deploy", target, image) if word)
    reply = await scene.reply_to(await _said(scene, caller, words))
    match expected:
        case Refused(RefusalCode.FROZEN) if isinstance(caller, Human) and facts.frozen:
            assert labels(reply) == ["Override", "Cancel"]
            assert facts.frozen.sentence in reply["text"]
        case Refused(_, message):
            assert reply["text"] == f"✋ {message}".replace("`", "")
            assert scene.api.count("deploy") == 0
        case Usage(ids):
            assert labels(reply) == ["all", *ids]
        case Allowed(confirm) if confirm:
            assert labels(reply) == ["Confirm", "Cancel"]
            assert confirm in reply["text"]
        case Allowed(doubt=doubt):
            assert doubt.replace("`", "") in reply["text"]
            assert ("🟡" in reply["text"]) == bool(doubt)
            assert verdict == (RefusalCode(doubt.split("`")[1]) if doubt else Allowed())
            await scene.asked_for("deploy", 1)


def _as_heard(caller: Caller) -> Caller:
    """A bot that is not of this fleet gets no answer at all; a forwarded message is as unknown."""
    return Unknown("a forwarded message") if isinstance(caller, Unknown) else caller


async def _said(scene: TelegramScene, caller: Caller, words: str) -> Json:
    more: dict[str, Any] = FORWARDED if isinstance(caller, Unknown) else {}
    speaker = scene.visitor
    if isinstance(caller, BotInstance):
        speaker = AGENT
    elif isinstance(caller, Human) and caller == OPERATOR:
        speaker = scene.operator
    return await scene.people.say(scene.fleet, speaker, words, **more)
