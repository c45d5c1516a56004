"""The core's own table, row for row, as somebody meets it in a terminal: the same verdicts."""

import pytest

from fleet_control.caller import BotInstance, Caller, Unknown
from fleet_control.policy import Allowed, Facts, RefusalCode, Refused, Usage, first_look
from tests.clawbot.talk import talk_with
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.test_policy import OPERATOR, TABLE
from tests.policy_facts import carried, show


@pytest.mark.parametrize(
    ("caller", "target", "image", "facts", "verdict"),
    [row for row in TABLE if not isinstance(row[0], Unknown)],
)
async def test_the_terminal_says_what_the_core_says(
    ec2: FakeEc2,
    clock: TurnedClock,
    caller: Caller,
    target: str,
    image: str,
    facts: Facts,
    verdict: object,
) -> None:
    ec2.forget()
    async with talk_with(clock, ec2, **carried(facts)) as talk:
        show(facts, talk.api, ec2)
        said = await talk.say(f"{_name(caller)}: /fleet deploy {target} {image}")
        said = " ".join(said.split())
        deploys = talk.api.count("deploy")
    match first_look(caller, target, image, facts._replace(asked_later=True)):
        case Refused(code, message):
            assert f"refused ({code}): {message}".replace("`", "") in said
            assert deploys == 0
        case Usage(ids):
            assert f"Targets: all, {', '.join(ids)}." in said
        case Allowed(confirm) if confirm:
            assert confirm.replace("`", "") in said
            assert "Go ahead?" in said
            assert deploys == 0
        case Allowed(doubt=doubt):
            assert doubt.replace("`", "") in said
            assert ("note: " in said) == bool(doubt)
            assert verdict == (RefusalCode(doubt.split("`")[1]) if doubt else Allowed())
            assert deploys == 1


def _name(caller: Caller) -> str:
    if isinstance(caller, BotInstance):
        return caller.instance
    return "operator" if caller == OPERATOR else "stranger"
